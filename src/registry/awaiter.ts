import { unknownProcess } from '../model/errors.ts'
import type { ProcessEvent } from '../model/event.ts'
import { isTerminal, type Outcome } from '../model/outcome.ts'
import type { ProcessChange } from './store.ts'
import type { WatchedRegistry } from './watch.ts'

/** Even without a tick a waiter looks for itself: a lost notice costs a second, never the answer. */
const LOOK_MS = 1_000

interface WaitOptions {
  readonly signal?: AbortSignal
}

export function awaitOutcome(
  registry: WatchedRegistry,
  id: string,
  options: WaitOptions = {},
): Promise<Outcome> {
  const look = async () => {
    const record = await registry.get(id)
    if (record === undefined) throw unknownProcess(id)
    return record.outcome
  }
  return lookUntil(registry, id, look, { ...options, concerns: isEnd })
}

/** The only change that whoever waits for an end need look at. */
export const isEnd = (change: ProcessChange): boolean => isTerminal(change.status)

/** Looks now, at each change of the process that concerns it, and every second, until the look gives an answer. */
export async function lookUntil<T>(
  registry: WatchedRegistry,
  id: string,
  look: () => Promise<T | undefined>,
  options: WaitOptions & { readonly concerns?: (change: ProcessChange) => boolean } = {},
): Promise<T> {
  const ticks = listen(registry, id, options.signal, options.concerns)
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

export function awaitEvent(
  registry: WatchedRegistry,
  id: string,
  wanted: WaitOptions & { readonly eventType: string; readonly after: number },
): Promise<ProcessEvent> {
  return lookUntil(registry, id, () => registry.findEvent(id, wanted.eventType, wanted.after), wanted)
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
      // The status is read before the events: a process seen ended has written all that it will write itself.
      const record = await registry.get(id)
      const events = await registry.eventsAfter(id, after)
      for (const event of events) {
        after = event.sequence
        yield event
      }
      if (events.length > 0) continue
      if (record !== undefined && isTerminal(record.status)) return
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
function listen(
  registry: WatchedRegistry,
  id: string,
  signal: AbortSignal | undefined,
  concerns: (change: ProcessChange) => boolean = () => true,
) {
  let isTicked = false
  let wake = () => {}
  const unsubscribe = registry.hub.subscribe(id, change => {
    if (change !== undefined && !concerns(change)) return
    isTicked = true
    wake()
  })
  return {
    stop: unsubscribe,
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
        const timer = setTimeout(() => done(resolve), LOOK_MS)
        signal?.addEventListener('abort', onAbort, { once: true })
        wake = () => done(resolve)
        if (isTicked) wake()
      }),
  }
}
