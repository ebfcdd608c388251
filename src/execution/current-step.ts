import { AsyncLocalStorage } from 'node:async_hooks'
import { LeaseholdError } from '../model/errors.ts'

/** One try of a step. */
export interface CurrentStep {
  readonly address: string
  /** How many events it has emitted: what it emits is keyed by it. */
  emitted: number
  /** Its time limit has passed: another try may run, or the step have failed for good. */
  isOver(): boolean
}

/** The step whose code is running. */
export const currentStep = new AsyncLocalStorage<CurrentStep | undefined>()

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
