import type { ProcessEvent } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import { awaitOutcome, followEvents } from './awaiter.ts'
import { ChangeFeed } from './change-feed.ts'
import { ChangeHub } from './change-hub.ts'
import type { ProcessRegistry } from './registry.ts'

/** A registry whose changes can be waited for, whichever OS process makes them. */
export interface WatchedRegistry extends ProcessRegistry {
  readonly hub: ChangeHub
  /** Resolves with the outcome, at once if the process has ended. Throws `process_unknown`; rejects when the signal fires. */
  awaitOutcome(id: string, options?: { readonly signal?: AbortSignal }): Promise<Outcome>
  /** Events with a sequence above `after`, existing and future, until the process has ended and all are given. */
  followEvents(
    id: string,
    options?: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<ProcessEvent>
}

/** Wraps once; whoever waits must use the same wrapper as whoever writes, so that local changes are heard at once. */
export function watchRegistry(registry: ProcessRegistry): WatchedRegistry {
  const hub: ChangeHub = new ChangeHub(demand => feed.setDemand(demand))
  const feed = new ChangeFeed(registry, hub)

  /** Ticks after the write has succeeded. Leases, reads and the worklist do not tick: nobody waits for them. */
  const ticking =
    <Args extends readonly unknown[], Result>(
      write: (...args: Args) => Promise<Result>,
      idOf: (...args: Args) => string,
    ) =>
    async (...args: Args): Promise<Result> => {
      const result = await write(...args)
      hub.notify(idOf(...args))
      return result
    }
  const byId = (id: string) => id
  const byLease = (lease: { processId: string }) => lease.processId

  const watched: WatchedRegistry = {
    ...registry,
    hub,
    register: ticking(registry.register, request => request.id),
    setExternalRef: ticking(registry.setExternalRef, byId),
    recordFirstStarted: ticking(registry.recordFirstStarted, byId),
    setWait: ticking(registry.setWait, byId),
    clearWait: ticking(registry.clearWait, byId),
    requestAbandon: ticking(registry.requestAbandon, byId),
    requestCancel: ticking(registry.requestCancel, byId),
    append: ticking(registry.append, byId),
    signal: ticking(registry.signal, byId),
    completeToolCall: async (key, answer) => {
      const result = await registry.completeToolCall(key, answer)
      hub.notify(result.processId)
      return result
    },
    ackWake: ticking(registry.ackWake, byId),
    emit: ticking(registry.emit, byLease),
    enterBody: ticking(registry.enterBody, byLease),
    park: ticking(registry.park, byLease),
    endAttempt: ticking(registry.endAttempt, byLease),
    complete: ticking(registry.complete, byId),
    completeWithLease: ticking(registry.completeWithLease, byLease),
    awaitOutcome: (id, options) => awaitOutcome(watched, id, options),
    followEvents: (id, options) => followEvents(watched, id, options),
    close: async () => {
      await feed.stop()
      await registry.close()
    },
  }
  return watched
}
