import { isDeepStrictEqual } from 'node:util'
import { isStep } from './is-step.ts'
import type { CrashRun } from './run-with-crash.ts'

interface MatcherResult {
  readonly pass: boolean
  message(): string
}

/**
 * For vitest: `expect.extend(leaseholdMatchers)`, once, in a setup file. They take what `runWithCrash` gives; types come
 * with `import 'leasehold/testing'`.
 */
export const leaseholdMatchers = {
  /** The process ended as completed, with this value where one is given. */
  toHaveCompleted(run: CrashRun, ...value: readonly unknown[]): MatcherResult {
    const { outcome } = run
    const isValue =
      value.length === 0 || (outcome.status === 'completed' && isDeepStrictEqual(outcome.value, value[0]))
    return {
      pass: outcome.status === 'completed' && isValue,
      message: () => `the process ended as ${JSON.stringify(outcome)}`,
    }
  },

  /** So many workers died. */
  toHaveCrashed(run: CrashRun, times = 1): MatcherResult {
    return {
      pass: run.crashes === times,
      message: () =>
        `${run.crashes} workers died, and not ${times}; was the place of the crash ever reached?`,
    }
  },

  /** Steps of this name, or the one of this address, stand in the journal so often, each of them done. */
  toHaveDone(run: CrashRun, step: string, times = 1): MatcherResult {
    const found = run.journal.filter(({ address }) => isStep(address, step))
    const done = found.filter(({ status }) => status === 'done')
    return {
      pass: done.length === times && found.length === times,
      message: () =>
        `the journal has ${done.length} done of ${found.length} steps "${step}": ${found.map(({ address, status }) => `${address} ${status}`).join(', ') || 'none'}`,
    }
  },

  /** No effect in the world outside is left that nobody can vouch for. */
  toHaveNoUnknownEffect(run: CrashRun): MatcherResult {
    const unknown = run.effects.filter(({ state }) => state === 'unknown')
    return {
      pass: unknown.length === 0,
      message: () => `nobody knows what came of ${unknown.map(({ step }) => step).join(', ') || 'nothing'}`,
    }
  },
}

type MatchersOf<Returned> = {
  [Name in keyof typeof leaseholdMatchers]: (typeof leaseholdMatchers)[Name] extends (
    run: CrashRun,
    ...args: infer Args
  ) => MatcherResult
    ? (...args: Args) => Returned
    : never
}

declare module 'vitest' {
  // vitest's own parameters, which a declaration that adds to it has to repeat.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown>
    extends MatchersOf<R> {}
}
