import { AsyncLocalStorage } from 'node:async_hooks'
import { LeaseholdError } from '../model/errors.ts'

/** The step whose code is running, so that what it emits is keyed by it. */
export const currentStep = new AsyncLocalStorage<{ readonly address: string; emitted: number }>()

/** A step's code runs only when the journal does not know the step: a step inside it would be visited, or not, by chance. */
export function requireOutsideStep(what: string, name: string): void {
  const within = currentStep.getStore()
  if (within === undefined) return
  throw new LeaseholdError(
    'step_nested',
    `ctx.${what} "${name}" was called inside step "${within.address}". Call it after that step, in the process's own function.`,
    { details: { step: within.address } },
  )
}
