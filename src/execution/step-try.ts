import { LeaseholdError } from '../model/errors.ts'
import { LONGEST_TIMER_MS } from '../model/timer.ts'
import type { StepScope } from '../runtime/context.ts'

export type TryResult<T> =
  | { readonly type: 'value'; readonly value: T }
  | { readonly type: 'thrown'; readonly error: unknown }

/** One try of a step's code: within its time limit, and no longer than the attempt wants it. */
export async function tryStep<T>(
  run: (step: StepScope) => T | Promise<T>,
  options: {
    readonly operationId: string
    readonly signal: AbortSignal
    readonly timeoutMs: number | undefined
    readonly address: string
  },
): Promise<TryResult<T>> {
  const { operationId, signal, timeoutMs, address } = options
  // A limit beyond what a timer can hold is none.
  if (timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS)
    return settle(async () => run({ operationId, signal }))
  const limit = new AbortController()
  const timedOut = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new LeaseholdError(
      'step_timed_out',
      `Step "${address}" took longer than its limit of ${timeoutMs} ms.`,
    )
    limit.abort(error)
    timedOut.reject(error)
  }, timeoutMs)
  const work = settle(async () => run({ operationId, signal: AbortSignal.any([signal, limit.signal]) }))
  try {
    return await Promise.race([work, settle(() => timedOut.promise)])
  } finally {
    clearTimeout(timer)
  }
}

async function settle<T>(work: () => Promise<T>): Promise<TryResult<T>> {
  try {
    return { type: 'value', value: await work() }
  } catch (error) {
    return { type: 'thrown', error }
  }
}
