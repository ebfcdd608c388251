import { doubling } from '../model/due.ts'
import type { ProcessEvent } from '../model/event.ts'
import { isTerminal, type Outcome } from '../model/outcome.ts'
import type { ChangeHub } from './change-hub.ts'
import type { ProcessRegistry } from './registry.ts'
import type { ProcessChange } from './store.ts'
import type { WatchedRegistry } from './watch.ts'

/** Even without a tick a waiter looks for itself: a lost notice costs a second, never the answer. */
const LOOK_MS = 1_000
/** Whom nobody tells looks soon after it has begun, and half as often each time, down to every second. */
const FIRST_LOOK_MS = 25

export interface WaitOptions {
  readonly signal?: AbortSignal
}

/** Where somebody looks, and the hub that tells when. Without a hub there is only the looking. */
interface Watched {
  readonly hub?: ChangeHub | undefined
}

/** Waits for what a process comes to, on any registry. Bound it with the signal: by itself it waits for ever. */
export class ProcessAwaiter {
  readonly #registry: ProcessRegistry
  readonly #hub: ChangeHub | undefined

  constructor(registry: ProcessRegistry, hub?: ChangeHub) {
    this.#registry = registry
    this.#hub = hub
  }

  /** Resolves with the outcome, at once if there is one. Throws `process_unknown`; rejects when the signal fires. */
  awaitTerminal(id: string, options: WaitOptions = {}): Promise<Outcome> {
    const look = async () => (await this.#registry.requireRecord(id)).outcome
    return lookUntil({ hub: this.#hub }, id, look, { ...options, concerns: isEnd })
  }

  /** The first event of the type after the cursor, existing or future. The process's end does not end the wait. */
  awaitEvent(id: string, eventType: string, after: number, options: WaitOptions = {}): Promise<ProcessEvent> {
    const look = () => this.#registry.findEvent(id, eventType, after)
    return lookUntil({ hub: this.#hub }, id, look, options)
  }
}

/** The only change that whoever waits for an end need look at. */
export const isEnd = (change: ProcessChange): boolean => isTerminal(change.status)

/** Looks now, at each change of the process that concerns it, and every so often, until the look gives an answer. */
export async function lookUntil<T>(
  watched: Watched,
  id: string,
  look: () => Promise<T | undefined>,
  options: WaitOptions & { readonly concerns?: (change: ProcessChange) => boolean } = {},
): Promise<T> {
  const ticks = listen(watched, id, options.signal, options.concerns)
  try {
    while (true) {
      const answer = await look()
      if (answer !== undefined) return answer
      await ticks.next()
    }
  } finally {
    ticks.stop()
  }
}

export async function* followEvents(
  registry: WatchedRegistry,
  id: string,
  options: WaitOptions & { readonly after?: number } = {},
): AsyncIterable<ProcessEvent> {
  const ticks = listen(registry, id, options.signal)
  let after = options.after ?? 0
  try {
    while (true) {
      options.signal?.throwIfAborted()
      // The status is read before the events: a process seen ended has written all that it will write itself.
      const record = await registry.requireRecord(id)
      const events = await registry.eventsAfter(id, after)
      for (const event of events) {
        after = event.sequence
        yield event
      }
      if (events.length > 0) continue
      if (isTerminal(record.status)) return
      await ticks.next()
    }
  } finally {
    ticks.stop()
  }
}

/**
 * A tick, or the next look of its own, whichever comes first. Ticks that come while nobody waits are kept; changes that
 * do not concern the listener are none.
 */
export function listen(
  { hub }: Watched,
  id: string,
  signal: AbortSignal | undefined,
  concerns: (change: ProcessChange) => boolean = () => true,
) {
  let isTicked = false
  let wake = () => {}
  let looks = 0
  const tick = () => {
    isTicked = true
    wake()
  }
  const unsubscribe = hub?.subscribe(id, change => {
    if (change === undefined || concerns(change)) tick()
  })
  const lookMs = () => (hub === undefined ? doubling(FIRST_LOOK_MS, looks++, LOOK_MS) : LOOK_MS)
  return {
    /** For whoever hears of changes from elsewhere too. */
    tick,
    stop: () => unsubscribe?.(),
    next: () =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const done = (settle: () => void) => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', onAbort)
          wake = () => {}
          isTicked = false
          settle()
        }
        const onAbort = () => done(() => reject(signal?.reason))
        const timer = setTimeout(() => done(resolve), lookMs())
        signal?.addEventListener('abort', onAbort, { once: true })
        wake = () => done(resolve)
        if (isTicked) wake()
      }),
  }
}
