import type { UIMessageChunk } from 'ai'
import type { ProcessEvent } from '../model/event.ts'
import type { ProcessId } from '../model/ids.ts'
import type { Json } from '../model/json.ts'
import type { Outcome } from '../model/outcome.ts'
import type { ProcessRecord } from '../model/process.ts'
import type { StreamEntry } from '../model/stream.ts'
import type { FollowStreamOptions } from '../registry/follow-stream.ts'
import { unlessAborted } from '../runtime/unless-aborted.ts'
import type { Connected } from './connected.ts'
import { readUiMessages } from './ui-messages.ts'

/**
 * One process, by id. Every method throws `process_unknown` for an id that was never registered, and
 * `process_no_longer_retained` for one whose process was pruned: nothing but how and when it ended is known of it.
 */
export interface ProcessHandle {
  readonly id: ProcessId
  /** Resolves when the process has ended, however long that takes; bound it with the signal. */
  outcome(options?: { readonly signal?: AbortSignal }): Promise<Outcome>
  /** The log, existing and future, until the process has ended. `after` is a sequence; default 0: from the beginning. */
  events(options?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<ProcessEvent>
  /**
   * What the process says in a channel, existing and future, until it has ended and everything is given. `from` is the
   * offset of the first entry; default 0. Who goes on later begins after the last one's. A `StreamView` shows what
   * stands. To stop reading does nothing to the process; `cancel` does, from wherever it is called.
   */
  stream(channel: string, options?: FollowStreamOptions): AsyncIterable<StreamEntry>
  /**
   * A channel of UI message chunks (the AI SDK's), as `useChat` takes them: what stands first, then what comes, and what a
   * failed attempt said is taken back there too. To cancel the stream does nothing to the process.
   */
  uiMessages(channel: string, options?: { readonly signal?: AbortSignal }): ReadableStream<UIMessageChunk>
  /**
   * Records a cancel. Running code is told within milliseconds; the outcome is whatever it then does. `force`: its worker
   * waits no longer than a grace (5 s by default), kills the child processes that the code started, and itself writes
   * `cancelled` with `stopped: false`. The code may go on, and can write nothing any more.
   */
  cancel(reason?: string, options?: { readonly force?: boolean }): Promise<void>
  /**
   * Sends a signal that the kind declares as event type `signal.<name>`; its payload fits the schema given there. Sent
   * again under the same `signalId` it is the same signal; default: a new one. Returns what stands in the log. An ended
   * process takes none (`process_already_terminal`).
   */
  signal(name: string, payload?: Json, options?: { readonly signalId?: string }): Promise<ProcessEvent>
  /** The record as it is now. */
  describe(): Promise<ProcessRecord>
}

export interface StartedProcess extends ProcessHandle {
  /** False: the process existed before. */
  readonly started: boolean
}

/** `ended`: what the attempt that runs in this OS process comes to; most often that is all there is to wait for. */
export function createProcessHandle(
  id: string,
  connect: () => Promise<Connected>,
  ended?: Promise<Outcome | undefined>,
): ProcessHandle {
  return {
    id: id as ProcessId,

    outcome: async options => {
      const here = ended && (await unlessAborted(ended, options?.signal))
      // A copy for each caller, as the registry would give.
      return here === undefined ? (await connect()).registry.awaitOutcome(id, options) : structuredClone(here)
    },

    events: options => followWhenConnected(id, connect, options),

    stream: (channel, options) => followStreamWhenConnected(id, connect, channel, options),

    uiMessages: (channel, options) =>
      readUiMessages(async () => (await connect()).registry, { ...options, id, channel }),

    cancel: async (reason, options) => {
      const { registry, backend } = await connect()
      const { record, isDue } = await registry.requestCancel(id, reason, options)
      if (record.status === 'running') await backend.passCancelOn(record, { isDue })
    },

    signal: async (name, payload = null, options) => {
      const { registry, backend } = await connect()
      const { event, record, isDue } = await registry.signal(id, name, payload, {
        ...options,
        isSubmittedBySender: backend.submitsDue,
      })
      if (isDue) await backend.tellDue(record)
      return event
    },

    describe: async () => (await connect()).registry.requireRecord(id),
  }
}

async function* followWhenConnected(
  id: string,
  connect: () => Promise<Connected>,
  options: { readonly after?: number; readonly signal?: AbortSignal } = {},
): AsyncIterable<ProcessEvent> {
  const { registry } = await connect()
  yield* registry.followEvents(id, options)
}

async function* followStreamWhenConnected(
  id: string,
  connect: () => Promise<Connected>,
  channel: string,
  options?: FollowStreamOptions,
): AsyncIterable<StreamEntry> {
  const { registry } = await connect()
  yield* registry.followStream(id, channel, options)
}
