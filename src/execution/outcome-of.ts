import { isLeaseholdError, isTransient, LeaseholdError, messageOf } from '../model/errors.ts'
import type { unknownEffects } from '../model/journal.ts'
import { asJson, jsonBytes, toJson } from '../model/json.ts'
import type { FailureClass, Outcome } from '../model/outcome.ts'
import { MAX_PAYLOAD_BYTES } from '../model/registration.ts'
import { withoutSecrets } from '../model/secret.ts'
import { isNetworkTrouble } from '../runtime/network-trouble.ts'
import { ProcessFailure } from '../runtime/process-failure.ts'

type UnknownEffects = ReturnType<typeof unknownEffects>

/** What the code's return value means. A value that JSON cannot carry is a failure, never a changed value. */
export function outcomeOfValue(value: unknown): Outcome {
  const stored = toJson(value)
  if (stored.ok) return { status: 'completed', value: stored.json }
  return failed(
    'process_output_invalid',
    `The process returned what JSON cannot carry: ${stored.found} at ${stored.path}.`,
  )
}

/** What a cancelled process tells: the effects that nobody can vouch for, and what else its code threw. */
export function outcomeOfCancel(
  error: unknown,
  cancel: { readonly reason: string },
  effects: UnknownEffects,
): Outcome {
  const raw = {
    ...(effects.length === 0 ? {} : { unknownEffects: effects }),
    ...(isCancelItself(error) ? {} : { error: messageOf(error) }),
  }
  return {
    status: 'cancelled',
    // The code's own word on the cancel, where it has one, says also what was cancelled.
    message: isLeaseholdError(error, 'process_cancelled') ? error.message : cancel.reason,
    ...(Object.keys(raw).length === 0 ? {} : { raw: asJson(raw) }),
  }
}

/**
 * What a thrown error means. After a cancel was requested it is `cancelled`, whatever the code threw on its way out, with
 * the effects that nobody can vouch for. `undefined`: the store's trouble, not the process's; the attempt is repeated.
 */
export function outcomeOfError(
  error: unknown,
  cancel: { readonly reason: string } | undefined,
  effects: UnknownEffects,
): Outcome | undefined {
  if (cancel !== undefined) return outcomeOfCancel(error, cancel, effects)
  if (isTransient(error)) return undefined
  if (isLeaseholdError(error, 'step_diverged')) {
    return { ...failed('process_recovery_failed', error.message), raw: { code: error.code } }
  }
  const outcome = describe(error)
  return effects.length === 0 ? outcome : { ...outcome, raw: asJson({ unknownEffects: effects }) }
}

/**
 * What the registry refuses for its size would leave the process without an end, repeated for ever: what can be told of
 * it stays.
 */
export function storableOutcome(outcome: Outcome): Outcome {
  const bytes = jsonBytes(asJson(outcome))
  if (bytes <= MAX_PAYLOAD_BYTES || outcome.status === 'abandoned') return outcome
  if (outcome.status === 'completed') {
    const problem = `The process returned ${bytes} bytes; the limit is ${MAX_PAYLOAD_BYTES}. Store it elsewhere and return a reference.`
    return failed('process_output_invalid', problem)
  }
  const { raw: _, ...rest } = outcome
  const start = outcome.message.slice(0, 10_000).toWellFormed()
  return { ...rest, message: `${start}… (shortened: with its details it had ${bytes} bytes)` }
}

/**
 * What keeps a process from being run at all: an unknown engine, a missing environment, a store that would forget.
 * `undefined`: the registry's trouble, or a network's, which says nothing about the process; the attempt is repeated.
 */
export function outcomeOfBuildError(error: unknown): Outcome | undefined {
  if (isTroubleElsewhere(error)) return undefined
  if (isLeaseholdError(error, 'process_engine_missing')) return failed(error.code, error.message)
  if (isLeaseholdError(error, 'external_process_not_executable'))
    return failed(error.code, error.message, 'internal')
  const code = isLeaseholdError(error) ? error.code : 'internal'
  return { ...failed('process_recovery_failed', messageOf(error)), raw: { code } }
}

/** Of the registry or of a network, itself or as what another error came from. */
function isTroubleElsewhere(error: unknown): boolean {
  if (isTransient(error) || isNetworkTrouble(error)) return true
  if (isLeaseholdError(error) && /^(registry|blob)_/.test(error.code)) return true
  return error instanceof Error && error.cause !== undefined && isTroubleElsewhere(error.cause)
}

function describe(error: unknown): Extract<Outcome, { status: 'failed' }> {
  if (error instanceof ProcessFailure) return failed(error.code, error.message, error.class)
  if (isLeaseholdError(error)) return failed(error.code, error.message)
  return failed('process_failed', messageOf(error))
}

const failed = (
  code: string,
  message: string,
  failureClass: FailureClass = 'execution',
): Extract<Outcome, { status: 'failed' }> => ({
  status: 'failed',
  class: failureClass,
  code,
  message: withoutSecrets(message),
})

const isCancelItself = (error: unknown): boolean =>
  isLeaseholdError(error, 'process_cancelled') ||
  (error instanceof Error &&
    (error.name === 'AbortError' || isLeaseholdError(error.cause, 'process_cancelled')))

export const cancelledError = (reason: string | undefined): LeaseholdError =>
  new LeaseholdError('process_cancelled', reason ?? 'cancelled on request')
