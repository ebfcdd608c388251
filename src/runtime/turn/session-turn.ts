import type { ModelMessage } from 'ai'
import { isLeaseholdError, isTransient, LeaseholdError, messageOf } from '../../model/errors.ts'
import { fromJson, type Json } from '../../model/json.ts'
import type { ProcessInput, ProcessRecord } from '../../model/process.ts'
import { ownSessions, turnAhead, type WaitingInput, whileRunningOf } from '../../model/session.ts'
import { absorbedBy, unsaidNews } from '../../model/unsaid-news.ts'
import type { Residency } from '../host.ts'
import { inPhase, type TurnPhase } from '../phase-probe.ts'
import { ProcessFailure } from '../process-failure.ts'
import type { ProcessRuntime } from '../runtime.ts'
import type { SessionStore } from '../session-store.ts'
import type { BodyContext } from '../tool-call.ts'
import { readTurnInput } from './input.ts'
import { storable } from './model-call.ts'
import { openInTurn } from './open-in-turn.ts'
import { turnFailed } from './policy.ts'
import { Steering } from './steering.ts'
import { runTurn } from './turn.ts'

export type SessionTurnInput = Extract<ProcessInput, { readonly type: 'session_turn' }>

export interface SessionTurnParts {
  readonly runtime: ProcessRuntime
  readonly sessions: SessionStore
  readonly residency: Residency
}

/** The session's own id, or one of the process's own where the start named none. */
export const childSessionId = (
  { id }: Pick<ProcessRecord, 'id'>,
  { createRequest }: SessionTurnInput,
): string => createRequest.sessionId ?? ownSessions(id).turn

/**
 * One turn of a child session: opens it, says what is to be said, stores that, and leaves the session, whatever the end.
 * Only an attempt that another one goes on from keeps it, so that no other turn comes between. A wake that comes to
 * no answer is told to the next turn.
 */
export async function runSessionTurn(
  ctx: BodyContext,
  { runtime, sessions, residency }: SessionTurnParts,
  { record, input }: { readonly record: ProcessRecord; readonly input: SessionTurnInput },
): Promise<Json> {
  const { id } = record
  const sessionId = childSessionId(record, input)
  const turn = { processId: id, sessionId }
  const phase = <T>(name: TurnPhase, work: () => Promise<T>) => inPhase(runtime.probe, name, work)
  const history = await open(ctx, sessions, { sessionId, record, input, residency })
  if (history.absorbedBy !== undefined) {
    await sessions.leave(sessionId, id)
    return { process_id: id, child_session_id: sessionId, turn: { absorbedBy: history.absorbedBy } }
  }
  try {
    await phase('before_turn', async () => {
      for (const hook of runtime.hooks) await hook.beforeTurn?.(turn)
    })
    const read = readTurnInput(input.turnInput)
    if ('problem' in read) throw turnFailed(`its input ${read.problem}`)
    const { messages, result } = await runTurn(ctx, {
      runtime,
      history: history.messages,
      input: read.messages,
      outputContract: input.outputContract,
      steering: new Steering(ctx, steeredBy(sessions, sessionId, input)),
    })
    await phase('persist', async () => {
      const entries = messages.map(message => ({ kind: 'message' as const, message: storable(message) }))
      await sessions.append(sessionId, { turnId: id, after: history.position, entries })
    })
    await phase('final_commit', () => sessions.leave(sessionId, id))
    await phase('after_persist', async () => {
      for (const hook of runtime.hooks) await tellAfterTurn(ctx, () => hook.afterTurn?.(turn))
    })
    return storable({ process_id: id, child_session_id: sessionId, turn: result })
  } catch (error) {
    if (isToBeContinued(ctx, error)) throw error
    const news = unsaidNews(record, [])
    if (news !== undefined)
      await sessions.append(sessionId, { turnId: id, after: history.position, entries: [news] })
    await sessions.leave(sessionId, id)
    throw describe(ctx, error)
  }
}

interface History {
  readonly messages: readonly ModelMessage[]
  /** Where this turn's own entries begin, after this one. */
  readonly position: number
  /** Another turn has taken this one's input, and said it. */
  readonly absorbedBy?: string
}

/** The policy of the session says whether its turns hear of what waits. */
function steeredBy(
  sessions: SessionStore,
  sessionId: string,
  { createRequest }: SessionTurnInput,
): (() => Promise<readonly WaitingInput[]>) | undefined {
  if (whileRunningOf(createRequest.policy ?? {}) !== 'steer') return undefined
  return sessions.waiting && (() => sessions.waiting?.(sessionId) ?? Promise.resolve([]))
}

async function open(
  ctx: BodyContext,
  sessions: SessionStore,
  about: {
    readonly sessionId: string
    readonly record: ProcessRecord
    readonly input: SessionTurnInput
    readonly residency: Residency
  },
): Promise<History> {
  const { sessionId, record, input, residency } = about
  const { policy = {}, pluginOptions = {} } = input.createRequest
  const causedBy = { type: 'process', processId: record.id } as const
  const request = { sessionId, turnId: record.id, policy, pluginOptions, causedBy }
  await openInTurn(ctx, async () => {
    try {
      await sessions.create(request)
    } catch (cause) {
      const isTold = turnAhead(cause) !== undefined || isLeaseholdError(cause, 'session_closed')
      if (isTransient(cause) || isTold) throw cause
      throw new ProcessFailure(
        'process_session_create_failed',
        `The session of the turn could not be opened: ${messageOf(cause)}`,
        { cause },
      )
    }
  })
  const loaded = await sessions.load(sessionId, { residency })
  // What an earlier attempt of this turn has stored is said again, from the journal.
  const before = (loaded?.entries ?? []).filter(({ turnId }) => turnId !== record.id)
  const own = loaded?.entries.find(({ turnId }) => turnId === record.id)
  const taken = absorbedBy(before, record.id)
  return {
    messages: before.map(({ message }) => fromJson<ModelMessage>(message)),
    position: own === undefined ? (loaded?.session.lastPosition ?? 0) : own.position - 1,
    ...(taken === undefined ? {} : { absorbedBy: taken }),
  }
}

/** Does another attempt go on from here? */
function isToBeContinued({ signal }: BodyContext, error: unknown): boolean {
  if (isTransient(error)) return true
  const { reason } = signal
  return signal.aborted && !isLeaseholdError(reason, 'process_cancelled')
}

function describe({ signal }: BodyContext, error: unknown): unknown {
  if (signal.aborted) {
    return new LeaseholdError(
      'process_cancelled',
      `The background session turn was cancelled: ${messageOf(signal.reason)}`,
      { cause: error },
    )
  }
  return error instanceof ProcessFailure || isLeaseholdError(error)
    ? error
    : turnFailed(messageOf(error), error)
}

async function tellAfterTurn({ log }: BodyContext, hook: () => unknown): Promise<void> {
  try {
    await hook()
  } catch (error) {
    log.warn('a hook failed after a turn was stored', { error: messageOf(error) })
  }
}
