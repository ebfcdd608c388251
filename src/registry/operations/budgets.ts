import {
  type BudgetLedger,
  closed,
  decideReserve,
  hasReserved,
  limitedBy,
  newLedger,
  settled,
} from '../../model/budget.ts'
import { LeaseholdError } from '../../model/errors.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { BudgetOperations, ReserveAnswer, ReserveRequest } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { requireHeld, requireProcess } from './shared.ts'

export function createBudgetOperations(store: ProcessStore): BudgetOperations {
  return {
    reserveBudget: (lease, request) => store.transaction(tx => reserve(tx, lease, request)),

    settleBudget: (lease, { operationId, took }) =>
      store.transaction(function* (tx) {
        const { stored } = yield* requireHeld(tx, lease)
        const own = yield* tx.loadBudget(stored.record.id)
        if (own === undefined) return
        for (const ledger of yield* chargedWith(tx, own))
          yield* save(tx, settled(ledger, operationId, took), ledger)
      }),

    budget: id =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.loadBudget(record.id)
      }),
  }
}

function* reserve(
  tx: StoreTransaction,
  lease: ProcessLease,
  { limits, operation }: ReserveRequest,
): Operation<ReserveAnswer> {
  const { stored, now } = yield* requireHeld(tx, lease)
  const own = yield* open(tx, stored.record, limits)
  if (own === undefined) return { type: 'unlimited' }
  if (operation === undefined) return { type: 'reserved' }
  const before = yield* chargedWith(tx, own)
  const decision = decideReserve(before, lease.processId, operation, now)
  if (decision.type === 'exceeded') return decision
  const { ledgers, ...answer } = decision
  for (const [index, ledger] of ledgers.entries()) yield* save(tx, ledger, before[index])
  return answer
}

/** For the terminal write of whoever has this budget: nobody waits for what it has reserved any more. */
export function* closeReservations(tx: StoreTransaction, own: BudgetLedger | undefined): Operation<void> {
  if (own === undefined || !hasReserved(own, own.processId)) return
  for (const ledger of yield* chargedWith(tx, own)) yield* save(tx, closed(ledger, own.processId), ledger)
}

/**
 * For a new row: what those above it may spend is its limit from now on, however many of them spend nothing, and also when
 * they are pruned. A parent that has a budget, or has one above it, has its ledger before it can start anything.
 */
export function* inheritBudget(tx: StoreTransaction, record: ProcessRecord): Operation<void> {
  const within = yield* budgetsAbove(tx, record)
  if (within.length > 0) yield* save(tx, unspent(record, { limits: {}, within }), undefined)
}

/** `undefined`: neither the process nor an ancestor has a budget. */
function* open(
  tx: StoreTransaction,
  record: ProcessRecord,
  limits: ReserveRequest['limits'],
): Operation<BudgetLedger | undefined> {
  const known = yield* tx.loadBudget(record.id)
  // Not of a new row: its parent may have been registered, by whoever drives it, before it had a budget.
  const within = known?.within ?? (yield* budgetsAbove(tx, record))
  if (known === undefined && limits === undefined && within.length === 0) return undefined
  const ledger = limitedBy(known ?? unspent(record, { limits: {}, within }), limits)
  if (ledger !== known) yield* save(tx, ledger, known)
  return ledger
}

const unspent = (
  { id, createdAtMs }: ProcessRecord,
  { limits, within }: Pick<BudgetLedger, 'limits' | 'within'>,
): BudgetLedger => newLedger(id, { limits, within, sinceMs: createdAtMs })

function* budgetsAbove(tx: StoreTransaction, { provenance }: ProcessRecord): Operation<readonly ProcessId[]> {
  const { causedBy } = provenance
  if (causedBy?.type !== 'process') return []
  const parent = yield* tx.loadBudget(causedBy.processId as ProcessId)
  return parent === undefined ? [] : [parent.processId, ...parent.within]
}

/** The process's own and those around it; always in this order, so that none who lock them stand in each other's way. */
function* chargedWith(tx: StoreTransaction, own: BudgetLedger): Operation<BudgetLedger[]> {
  const ledgers = [own]
  for (const id of own.within) {
    const ledger = yield* tx.loadBudget(id)
    if (ledger !== undefined) ledgers.push(ledger)
  }
  return ledgers
}

function* save(
  tx: StoreTransaction,
  ledger: BudgetLedger,
  expected: BudgetLedger | undefined,
): Operation<void> {
  if (yield* tx.saveBudget(ledger, expected)) return
  // Whoever was faster holds no lock of ours in a store that locks what it loads: this one is tried again.
  throw new LeaseholdError(
    'registry_locked',
    `The budget of process "${ledger.processId}" was changed by another one meanwhile; it is tried again.`,
    { processId: ledger.processId },
  )
}
