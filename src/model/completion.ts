import { LeaseholdError } from './errors.ts'
import type { ProcessId } from './ids.ts'
import { asJson, type Json } from './json.ts'
import { isLive, type StoredLease } from './lease.ts'
import { isTerminal, type Outcome } from './outcome.ts'
import type { ProcessRecord } from './process.ts'

/** Who may end a process without holding its lease. */
export type CompletionAuthority =
  | { readonly authority: 'external_owner'; readonly grantedTo: string }
  | { readonly authority: 'workflow_key'; readonly workflowKey: string }
  | { readonly authority: 'reconciled_abandon' }

/** Throws unless the authority may write this outcome on this row now. First terminal wins for ever. */
export function requireAuthority(
  record: ProcessRecord,
  lease: StoredLease | undefined,
  outcome: Outcome,
  authority: CompletionAuthority,
  now: number,
): void {
  const { id, disposition } = record
  if (isTerminal(record.status)) throw alreadyTerminal(record)
  requireUnheld(id, lease, now)
  const isExternal = disposition === 'externally_owned'
  const isAllowed = {
    external_owner: isExternal,
    workflow_key: !isExternal,
    reconciled_abandon: isExternal && outcome.status === 'abandoned',
  }[authority.authority]
  if (!isAllowed) {
    throw new LeaseholdError(
      'process_authority_rejected',
      `Authority "${authority.authority}" may not write "${outcome.status}" on process "${id}", which is ${disposition}. ${adviceOn(record)}`,
      { processId: id, details: { authority: authority.authority, disposition } },
    )
  }
}

function adviceOn({ disposition }: ProcessRecord): string {
  return disposition === 'externally_owned'
    ? 'Its owner completes it; the sweep may only abandon it, where somebody asked for that.'
    : 'Its own code ends it, under its lease: cancel it, or ask to abandon it, instead.'
}

/** Whoever ends a process without holding its lease must not do it under a holder's feet. */
export function requireUnheld(id: ProcessId, lease: StoredLease | undefined, now: number): void {
  if (!isLive(lease?.holder, now)) return
  const { owner, fencingToken } = lease.holder
  throw new LeaseholdError(
    'process_lease_busy',
    `Process "${id}" is running under ${owner.ownerId}'s lease (fence ${fencingToken}). Cancel it, or wait for that lease to end.`,
    { processId: id, details: { fence: fencingToken, holder: owner.ownerId } },
  )
}

export const terminalPayload = (outcome: Outcome, authority?: CompletionAuthority): Json =>
  asJson({
    await_output: outcome,
    ...(authority === undefined ? {} : { completion_authority: authority }),
  })

export const alreadyTerminal = (record: ProcessRecord): LeaseholdError =>
  new LeaseholdError(
    'process_already_terminal',
    `Process "${record.id}" is already terminal: it ended as ${record.status}. The first outcome stays.`,
    { processId: record.id, details: { status: record.status } },
  )
