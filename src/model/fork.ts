import { LeaseholdError } from './errors.ts'
import type { JournalEntry } from './journal.ts'
import type { ProcessRecord } from './process.ts'
import type { RegistrationRequest } from './registration.ts'

export interface ForkRequest {
  /** The address of the step that is to be run again, with all that came after it. */
  readonly from: string
  /** The id of the new process. */
  readonly id: string
}

/**
 * What a new process takes over from the journal of another, so that it comes to the step without running what came
 * before: the entries before it, in the order in which they were first written. Waits that were still under way are left
 * out, for they are made anew; so are emitted events, which the new process's log does not have. A `once` step that
 * nobody can vouch for stays what it is: a fork does not make it known.
 */
export function journalBefore(
  processId: string,
  journal: readonly JournalEntry[],
  from: string,
): readonly JournalEntry[] {
  const step = journal.find(({ address }) => address === from)
  if (step === undefined) {
    throw new LeaseholdError(
      'step_not_found',
      `Process "${processId}" has journaled no step "${from}" in its current epoch. "leasehold steps ${processId} --all" lists what there is.`,
      { processId, details: { step: from } },
    )
  }
  return journal.filter(
    ({ position, kind, effect, status }) =>
      position < step.position && kind !== 'emit' && (effect === 'once' || status !== 'claimed'),
  )
}

/** The same work under another id; its history says where it comes from. */
export function forkedRegistration(record: ProcessRecord, id: string): RegistrationRequest {
  const { input, disposition, identity, eventTypes, provenance, envRef, wakeTarget, maxAttempts, flow } =
    record
  return {
    id,
    input,
    disposition,
    identity,
    eventTypes,
    provenance: { ...provenance, causedBy: { type: 'process', processId: record.id } },
    ...(envRef === undefined ? {} : { envRef }),
    ...(wakeTarget === undefined ? {} : { wakeTarget }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(flow === undefined ? {} : { flow }),
  }
}
