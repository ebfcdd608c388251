import type { ProcessEvent } from '../model/event.ts'
import type { ProcessId } from '../model/ids.ts'
import type { Outcome } from '../model/outcome.ts'
import type { ProcessRecord } from '../model/process.ts'
import type { StreamEntry } from '../model/stream.ts'
import { followEvents, ProcessAwaiter } from './awaiter.ts'
import { ChangeFeed } from './change-feed.ts'
import { ChangeHub, streamOf } from './change-hub.ts'
import { type ProcessEventSink, SinkFeed, type SinkFeedOptions } from './event-sink.ts'
import { type FollowStreamOptions, StreamFollower } from './follow-stream.ts'
import type { ProcessRegistry, RegisterResult } from './registry.ts'
import type { ProcessChange } from './store.ts'

/** A registry whose changes can be waited for, whichever OS process makes them. */
export interface WatchedRegistry extends ProcessRegistry {
  readonly hub: ChangeHub
  /** Resolves with the outcome, at once if the process has ended. Throws `process_unknown`; rejects when the signal fires. */
  awaitOutcome(id: string, options?: { readonly signal?: AbortSignal }): Promise<Outcome>
  /**
   * The first event of the type with a sequence above `after`, existing or future. Throws `process_unknown`. The end of
   * the process does not end the wait: whoever needs that races it with `awaitOutcome`.
   */
  awaitEvent(
    id: string,
    eventType: string,
    after: number,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ProcessEvent>
  /** Events with a sequence above `after`, existing and future, until the process has ended and all are given. */
  followEvents(
    id: string,
    options?: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<ProcessEvent>
  /** Entries of a channel with an offset of `from` or above, existing and future, until the process has ended and all are given. */
  followStream(id: string, channel: string, options?: FollowStreamOptions): AsyncIterable<StreamEntry>
  /** From now on the sink hears of what is appended through this registry. Returns how to stop. */
  addSink(sink: ProcessEventSink, options: SinkFeedOptions): () => void
}

/** How long closing waits for a sink to hear of what was appended before. */
const SINK_CLOSE_MS = 1_000

/** Wraps once; whoever waits must use the same wrapper as whoever writes, so that local changes are heard at once. */
export function watchRegistry(registry: ProcessRegistry): WatchedRegistry {
  const hub: ChangeHub = new ChangeHub(demand => feed.setDemand(demand))
  const feed = new ChangeFeed(registry, hub)
  const awaiter = new ProcessAwaiter(registry, hub)
  const streams = new StreamFollower(registry)

  /**
   * Ticks after the write has succeeded. Leases, reads and the worklist do not tick: nobody waits for them. `change`: what
   * the write has left, where that is known, so that only those need look whom it concerns.
   */
  const ticking =
    <Args extends readonly unknown[], Result>(
      write: (...args: Args) => Promise<Result>,
      idOf: (...args: Args) => string,
      change?: (id: ProcessId, result: Result) => ProcessChange,
    ) =>
    async (...args: Args): Promise<Result> => {
      const result = await write(...args)
      const id = idOf(...args) as ProcessId
      hub.notify(id, change?.(id, result))
      return result
    }
  /** What neither ends a process nor cancels it: whoever waits for one of the two need not look. */
  const goesOn = (id: ProcessId): ProcessChange => ({
    id,
    status: 'running',
    isCancelRequested: false,
    isPruned: false,
  })
  const asRecorded = (id: ProcessId, { status, cancelRequest }: ProcessRecord): ProcessChange => ({
    id,
    status,
    isCancelRequested: cancelRequest !== undefined,
    isPruned: false,
  })
  const asRegistered = (id: ProcessId, { record }: RegisterResult) => asRecorded(id, record)
  const sinks = new Set<SinkFeed>()
  /** Only what was appended, and not what was found appended: an event is told once. */
  const tell = <Result extends Appended>(result: Result): Result => {
    if (result.event !== undefined && result.type !== 'replayed')
      for (const sink of sinks) sink.push(result.event)
    return result
  }
  /** Ticks, and tells the sinks. */
  const telling = <Args extends readonly unknown[], Result extends Appended>(
    write: (...args: Args) => Promise<Result>,
    idOf: (...args: Args) => string,
  ) => ticking((...args: Args) => write(...args).then(tell), idOf)

  const byId = (id: string) => id
  const byLease = (lease: { processId: string }) => lease.processId

  const watched: WatchedRegistry = {
    ...registry,
    hub,
    register: ticking(registry.register, request => request.id, asRegistered),
    registerAndBegin: ticking(registry.registerAndBegin, request => request.id, asRegistered),
    fork: ticking(registry.fork, (_, request) => request.id),
    setExternalRef: ticking(registry.setExternalRef, byId),
    recordFirstStarted: ticking(registry.recordFirstStarted, byId),
    setWait: ticking(registry.setWait, byId),
    clearWait: ticking(registry.clearWait, byId),
    requestAbandon: ticking(registry.requestAbandon, byId),
    requestCancel: telling(registry.requestCancel, byId),
    append: telling(registry.append, byId),
    signal: telling(registry.signal, byId),
    completeToolCall: async (key, answer) => {
      const result = await registry.completeToolCall(key, answer)
      hub.notify(result.record.id)
      return result
    },
    vote: async (key, vote) => {
      const result = await registry.vote(key, vote)
      hub.notify(result.record.id)
      return result
    },
    requestApproval: ticking(registry.requestApproval, byLease),
    resolveStep: ticking(registry.resolveStep, byId),
    ackWake: ticking(registry.ackWake, byId),
    emit: telling(registry.emit, byLease),
    appendToStreams: async (lease, rows) => {
      await registry.appendToStreams(lease, rows)
      hub.notify(streamOf(lease.processId))
    },
    enterBody: ticking(registry.enterBody, byLease, goesOn),
    park: ticking(registry.park, byLease, goesOn),
    endAttempt: ticking(registry.endAttempt, byLease, goesOn),
    complete: ticking(registry.complete, byId, asRecorded),
    completeWithLease: ticking(registry.completeWithLease, byLease, asRecorded),
    proveWorkerDead: async worker => {
      const orphans = await registry.proveWorkerDead(worker)
      hub.notifyBackground()
      return orphans
    },
    awaitOutcome: (id, options) => awaiter.awaitTerminal(id, options),
    awaitEvent: (id, eventType, after, options) => awaiter.awaitEvent(id, eventType, after, options),
    followEvents: (id, options) => followEvents(watched, id, options),
    followStream: (id, channel, options) => streams.follow(watched, id, channel, options),
    addSink: (sink, options) => {
      const added = new SinkFeed(sink, options)
      sinks.add(added)
      return () => sinks.delete(added)
    },
    close: async () => {
      await feed.stop()
      await Promise.all([...sinks].map(sink => sink.settle(SINK_CLOSE_MS)))
      await registry.close()
    },
  }
  return watched
}

interface Appended {
  readonly type?: 'appended' | 'replayed'
  readonly event?: ProcessEvent
}
