import type { Outcome } from '../model/outcome.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import { listenForInterrupts } from './interrupts.ts'
import type { Output } from './output.ts'

/** The outcome; `undefined` when the time was up first. Ctrl-C throws `Interrupted` and leaves the process alone. */
export async function awaitOutcomeOrInterrupt(
  registry: WatchedRegistry,
  id: string,
  { output, timeoutMs }: { readonly output: Output; readonly timeoutMs?: number },
): Promise<Outcome | undefined> {
  const { signal: interrupted } = listenForInterrupts()
  const timeUp = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  const signal = timeUp === undefined ? interrupted : AbortSignal.any([interrupted, timeUp])
  try {
    return await registry.awaitOutcome(id, { signal })
  } catch (error) {
    if (timeUp?.aborted && error === timeUp.reason) return undefined
    if (interrupted.aborted) output.note(`Process ${id} goes on; leasehold await ${id} waits for it again.`)
    throw error
  }
}
