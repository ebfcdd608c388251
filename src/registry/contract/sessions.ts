import type {
  CreateSessionDecision,
  ForkSessionRequest,
  FoundSession,
  NewSession,
  Session,
  SessionAppend,
  SessionEntry,
  SessionRequest,
  WaitingInput,
} from '../../model/session.ts'

/** What was said in sessions, one turn at a time. See `model/session.ts`. */
export interface SessionOperations {
  /**
   * Makes the session, or opens a free one, for the turn. Throws `session_closed`, and `session_busy` while another turn has it, or waits for
   * it and was registered before (`RegisterOptions.turnOf`); `turnAhead` says which one. Without `turnId` a session that is
   * there stays as it is, and a new one is free.
   */
  createSession(request: NewSession & Partial<SessionRequest>): Promise<CreateSessionDecision>
  /**
   * Appends after what the turn has read; the same again changes nothing. Throws `session_unknown`, `session_not_open` or
   * `session_conflict`.
   */
  appendToSession(sessionId: string, append: SessionAppend): Promise<{ readonly lastPosition: number }>
  /** `active_path`: from the last summary on, instead of everything. */
  loadSession(
    sessionId: string,
    options?: { readonly residency?: 'keep_all' | 'active_path' },
  ): Promise<LoadedSession | undefined>
  /** The session without what was said in it. */
  findSession(sessionId: string): Promise<FoundSession>
  /**
   * Forgets the session and all that was said in it, but for its id: wakes on their way to it find it gone. `false`: there
   * is none. Throws `session_busy` while a turn has it or waits for it. What it may address and what wakes it is another
   * matter: `deleteSessionState`.
   */
  deleteSession(sessionId: string): Promise<boolean>
  /**
   * Makes a new session of what was said in another one, up to an entry. It is free, and the two know nothing of each
   * other from then on. Throws `session_unknown`, `session_conflict` (the new id is taken) or `usage` (no such entry).
   */
  forkSession(sessionId: string, request: ForkSessionRequest): Promise<Session>
  /** Turns that wait for the session and have not ended, in their order, with their inputs. */
  waitingInputs(sessionId: string): Promise<readonly WaitingInput[]>
  /**
   * From now on the session takes no new turn (`session_closed`), neither by `createSession` nor in its line; the one that
   * has it comes to its end, and it can be read, forked and deleted. Returns who waits for it, in vain. Throws
   * `session_unknown`. Closed again, it stays as it is.
   */
  closeSession(sessionId: string): Promise<ClosedSession>
  /** Ends the turn's hold on it. Not open, or open for another turn: nothing happens. */
  leaveSession(sessionId: string, turnId: string): Promise<void>
}

export interface ClosedSession {
  readonly session: Session
  /** Turns that have not ended. Each finds the session closed when it comes to it; cancelled, it ends before. */
  readonly waiting: readonly string[]
}

export interface LoadedSession {
  readonly session: Session
  readonly entries: readonly SessionEntry[]
}
