import { LeaseholdError } from './errors.ts'
import { type JournalEntry, operationIdOf } from './journal.ts'
import { type Json, jsonEquals } from './json.ts'
import type { StoredProcess } from './process.ts'

/**
 * A process that never ends would have a journal without end. So its journal has epochs, from 0: a process rolls over
 * by handing on what it still needs to know, and goes on with an empty journal and that state.
 *
 *   epoch 0 ── startEpoch(1, state) ──▶ epoch 1 ── startEpoch(2, state) ──▶ epoch 2
 *
 * Of the epochs before, the journal keeps the `once` steps: they are the ledger of what was done in the world outside.
 */
export interface EpochRequest {
  /** The one to begin: the current one plus 1. */
  readonly epoch: number
  readonly state: Json
}

export type EpochDecision =
  | { readonly type: 'start' }
  /** The same request, whose answer was lost. */
  | { readonly type: 'replay' }
  /** A cancel is recorded: no epoch begins only to be cancelled. */
  | { readonly type: 'cancel_requested' }

/** No step has this address: a step's name is never blank. */
export const STATE_ADDRESS = '#state'

/** `carried`: the state that the current epoch began with; the first one began with none. */
export function decideStartEpoch(
  { record, epoch }: StoredProcess,
  carried: JournalEntry | undefined,
  request: EpochRequest,
): EpochDecision {
  if (record.disposition === 'owner_bound') throw rolloverRefused(record.id)
  const isRepeated = request.epoch === epoch && carried !== undefined
  if (isRepeated && jsonEquals(carried.value ?? null, request.state)) return { type: 'replay' }
  if (request.epoch !== epoch + 1) throw epochConflict(record.id, epoch, request.epoch)
  return record.cancelRequest === undefined ? { type: 'start' } : { type: 'cancel_requested' }
}

/** The entry that an epoch begins with, before its first position. */
export function stateEntry(
  { record, epoch }: StoredProcess,
  written: Pick<JournalEntry, 'attempt' | 'fence'> & { readonly state: Json; readonly now: number },
): JournalEntry {
  const { id, incarnation } = record
  const { attempt, fence, state, now } = written
  return {
    processId: id,
    epoch,
    position: 0,
    address: STATE_ADDRESS,
    kind: 'state',
    effect: 'repeatable',
    digest: 'state',
    status: 'done',
    operationId: operationIdOf({ id, incarnation, epoch }, STATE_ADDRESS),
    value: state,
    attempt,
    fence,
    startedAtMs: now,
    endedAtMs: now,
  }
}

/** What the epoch of this journal began with; absent in the first one. */
export const carriedState = (journal: Iterable<JournalEntry>): JournalEntry | undefined =>
  [...journal].find(({ kind }) => kind === 'state')

export const rolloverRefused = (processId: string): LeaseholdError =>
  new LeaseholdError(
    'process_rollover_refused',
    `Process "${processId}" is owner-bound, so it cannot roll over: its code is entered once and never again. Keep the loop inside it, or declare its kind rerunnable.`,
    { processId },
  )

export const epochConflict = (processId: string, current: number, found: number): LeaseholdError =>
  new LeaseholdError(
    'process_epoch_conflict',
    `The journal of process "${processId}" is in epoch ${current}, and this write is for epoch ${found}. Nothing was written. Write for the epoch that the process was loaded with; begin the next one with the current one plus 1, once and with one state.`,
    { processId, details: { epoch: current, requested: found } },
  )
