import { isLeaseholdError, LeaseholdError, messageOf } from '../model/errors.ts'
import type { StepFailure } from '../model/journal.ts'

/** What the journal keeps of a final failure. */
export function describeFailure(error: unknown): StepFailure {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return {
    name: error instanceof Error ? error.name : 'Error',
    message: messageOf(error),
    ...(typeof code === 'string' ? { code } : {}),
    ...(isLeaseholdError(error) && Object.keys(error.details).length > 0 ? { details: error.details } : {}),
  }
}

/** What this attempt throws for it, and every replay. */
export function stepFailed(
  { address }: { readonly address: string },
  failure: StepFailure,
  cause?: unknown,
): LeaseholdError {
  return new LeaseholdError('step_failed', failure.message, {
    cause,
    details: { ...failure.details, step: address, errorName: failure.name, errorCode: failure.code },
  })
}
