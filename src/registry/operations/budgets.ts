import {
  type BudgetLedger,
  closed,
  decideReserve,
  hasReserved,
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

/** Further up nobody looks: so many generations in a row that have spent nothing. */
const MOST_ANCESTORS = 50

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
  const own = (yield* tx.loadBudget(lease.processId)) ?? (yield* open(tx, stored.record, limits))
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

/** `undefined`: neither the process nor an ancestor has a budget. */
function* open(
  tx: StoreTransaction,
  record: ProcessRecord,
  limits: ReserveRequest['limits'],
): Operation<BudgetLedger | undefined> {
  const within: ProcessId[] = []
  let child = record
  for (let looked = 0; looked < MOST_ANCESTORS; looked++) {
    const { causedBy } = child.provenance
    if (causedBy?.type !== 'process') break
    const parent = yield* tx.loadProcess(causedBy.processId as ProcessId)
    // A parent that was pruned has ended, and its budget with it.
    if (parent === undefined) break
    child = parent.record
    const nearest = yield* tx.loadBudget(child.id)
    if (nearest === undefined) continue
    // It knows those above it, also where a process between them is gone.
    within.push(child.id, ...nearest.within)
    break
  }
  if (limits === undefined && within.length === 0) return undefined
  const ledger = newLedger(record.id, { limits: limits ?? {}, within, sinceMs: record.createdAtMs })
  yield* save(tx, ledger, undefined)
  return ledger
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
