import type { RegistrationRequest } from '../model/registration.ts'
import {
  type ForkSessionRequest,
  type Session,
  type SessionEntry,
  type WhileRunning,
  whileRunningOf,
} from '../model/session.ts'
import { unknownSession } from '../model/session-errors.ts'
import { isWakeTurn } from '../model/unsaid-news.ts'
import type { RegisterOptions } from '../registry/registry.ts'
import type { Host } from '../runtime/host.ts'
import { prepareStart } from '../runtime/start-request.ts'
import type { SessionTurnStart } from '../runtime/turn/prepare.ts'
import type { Connected } from './connected.ts'
import { createProcessHandle, type StartedProcess } from './process-handle.ts'
import { tracedStart } from './traced-start.ts'

export interface SendOptions {
  /** Of the turn. The same again is the same turn. Default: a new one. */
  readonly id?: string
  /** JSON Schema of the answer. Default: any text. */
  readonly output?: SessionTurnStart['output']
  readonly label?: string
}

/** One session: what was said, and what is said next. */
export interface SessionHandle {
  readonly id: string
  /** Makes the session, where there is none yet. `policy` stays as it is from then on; default: the host's own. */
  create(options?: Partial<Pick<Session, 'policy' | 'pluginOptions'>>): Promise<void>
  /**
   * Says something in the session, as a turn of it, and makes the session where there is none. What becomes of it while
   * another turn runs is the session's policy `whileRunning`:
   * - `queue` (default): it has its turn after those before it.
   * - `steer`: the running turn takes it in before its next model call, and this one ends with `absorbedBy`; too late for
   *   that, it has its turn.
   * - `interrupt`: the running turn is cancelled, and this one comes after it.
   * - `reject`: `session_busy`.
   */
  send(prompt: SessionTurnStart['prompt'], options?: SendOptions): Promise<StartedProcess>
  /**
   * From now on the session takes nothing new: `send` throws `session_closed`, wakes are given up (`target_closed`), and
   * turns that wait for it are cancelled. The one that runs comes to its end; entries, forks and `delete` are as before.
   * Throws `session_unknown`. Closed again, it finishes what a client that died in the middle left undone.
   */
  close(): Promise<void>
  /** Throws `session_unknown`. */
  entries(): Promise<readonly SessionEntry[]>
  /** A new session that begins with what was said here up to an entry. */
  fork(request: ForkSessionRequest): Promise<SessionHandle>
  /**
   * Ends the session for good, with all that was said in it; wakes on their way to it find it gone. `false`: there is none.
   * Throws `session_busy` while a turn has it or waits for it.
   */
  delete(): Promise<boolean>
}

export function createSessionHandle(
  id: string,
  host: Host,
  connect: () => Promise<Connected>,
): SessionHandle {
  const create: SessionHandle['create'] = async ({ policy, pluginOptions } = {}) => {
    const { registry } = await connect()
    const given = {
      policy: policy ?? host.policy ?? {},
      pluginOptions: pluginOptions ?? host.pluginOptions ?? {},
    }
    whileRunningOf(given.policy)
    await registry.createSession({ sessionId: id, ...given })
  }

  async function send(
    prompt: SessionTurnStart['prompt'],
    options: SendOptions = {},
  ): Promise<StartedProcess> {
    const { registry, backend } = await connect()
    let found = await registry.findSession(id)
    if (found.type !== 'present') {
      await create()
      found = await registry.findSession(id)
    }
    if (found.type !== 'present') throw unknownSession(id)
    const { session } = found
    const mode = whileRunningOf(session.policy)
    const turn = await tracedStart('session_turn', async traceparent => {
      const { type, record, ended } = await backend.start(await turnOf(host, session, prompt, options), {
        ...placeOf(id, mode),
        ...(traceparent === undefined ? {} : { traceparent }),
      })
      return { ...createProcessHandle(record.id, connect, ended), started: type === 'registered' }
    })
    // Said again under the same id, for whoever said it may have died before this.
    if (mode === 'interrupt') await interruptThoseBefore(turn.id)
    return turn
  }

  async function interruptThoseBefore(turnId: string): Promise<void> {
    const { registry } = await connect()
    const waiting = (await registry.waitingInputs(id)).map(turn => turn.turnId)
    const place = waiting.indexOf(turnId)
    // It has had its turn, or has it now: whoever runs has come after it.
    if (place < 0) return
    // Read after those who wait: one that has begun in between is among the ones or the other.
    const found = await registry.findSession(id)
    const running = found.type === 'present' ? found.session.openFor : undefined
    const isBehind = running !== undefined && waiting.indexOf(running) >= place
    const ahead = [...(running === undefined || isBehind ? [] : [running]), ...waiting.slice(0, place)]
    for (const aheadId of new Set(ahead)) {
      // A session that the host's own code has open is waited for.
      const turn = await registry.get(aheadId)
      // What a process has to tell is not what the user takes back: a wake that waits is told before, one that runs after.
      if (turn?.status !== 'running' || (isWakeTurn(turn) && aheadId !== running)) continue
      await createProcessHandle(aheadId, connect).cancel('interrupted by new input')
    }
  }

  return {
    id,
    create,
    send,
    close: async () => {
      const { waiting } = await (await connect()).registry.closeSession(id)
      for (const turnId of waiting)
        await createProcessHandle(turnId, connect).cancel(`session "${id}" was closed`)
    },
    entries: async () => {
      const loaded = await (await connect()).registry.loadSession(id)
      if (loaded === undefined) throw unknownSession(id)
      return loaded.entries
    },
    fork: async request => {
      const fork = await (await connect()).registry.forkSession(id, request)
      return createSessionHandle(fork.sessionId, host, connect)
    },
    delete: async () => (await connect()).registry.deleteSession(id),
  }
}

const placeOf = (id: string, mode: WhileRunning): RegisterOptions => ({
  sameId: 'request',
  turnOf: id,
  whenBusy: mode === 'reject' ? 'refuse' : 'wait',
  grant: { scope: { sessionId: id } },
})

async function turnOf(
  host: Host,
  { sessionId, policy, pluginOptions }: Session,
  prompt: SessionTurnStart['prompt'],
  { id, label, output }: SendOptions,
): Promise<RegistrationRequest> {
  const { registration } = await prepareStart(host, {
    kind: 'session_turn',
    disposition: 'rerunnable',
    session: { sessionId },
    ...(id === undefined ? {} : { id }),
    ...(label === undefined ? {} : { label }),
    input: {
      prompt,
      session: { sessionId, policy, pluginOptions },
      ...(output === undefined ? {} : { output }),
    },
  })
  return registration
}
