import type { SessionAppend, SessionRequest, WaitingInput } from '../model/session.ts'
import type { LoadedSession, ProcessRegistry } from '../registry/registry.ts'
import type { TieredStore } from './durability.ts'
import type { Residency } from './host.ts'

/**
 * Where the sessions of turns are kept. The default is the registry. Each write can be repeated after a crash: the turn's
 * id tells that it is the same one. See `model/session.ts` for what each refuses.
 */
export interface SessionStore extends TieredStore {
  create(request: SessionRequest): Promise<unknown>
  append(sessionId: string, append: SessionAppend): Promise<unknown>
  load(sessionId: string, options: { readonly residency: Residency }): Promise<LoadedSession | undefined>
  /** Ends the turn's hold on it. */
  leave(sessionId: string, turnId: string): Promise<void>
  /** Turns that wait for the session, with their inputs: a session that is steered hears of them. Default: none. */
  waiting?(sessionId: string): Promise<readonly WaitingInput[]>
}

export const registrySessions = (registry: ProcessRegistry): SessionStore => ({
  durabilityTier: registry.durabilityTier,
  create: request => registry.createSession(request),
  append: (sessionId, append) => registry.appendToSession(sessionId, append),
  load: (sessionId, options) => registry.loadSession(sessionId, options),
  leave: (sessionId, turnId) => registry.leaveSession(sessionId, turnId),
  waiting: sessionId => registry.waitingInputs(sessionId),
})
