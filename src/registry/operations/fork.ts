import { v7 as uuidv7 } from 'uuid'
import { type ForkRequest, forkedRegistration, journalBefore } from '../../model/fork.ts'
import type { JournalEntry } from '../../model/journal.ts'
import { acquire } from '../../model/lease.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { ForkOperations, RegisterResult } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { saveEntry } from './journal.ts'
import { askedFor, register } from './register.ts'
import { requireProcess } from './shared.ts'

export const createForkOperations = (store: ProcessStore): ForkOperations => ({
  fork: (id, request) => store.transaction(tx => fork(tx, id, request)),
})

function* fork(tx: StoreTransaction, id: string, request: ForkRequest): Operation<RegisterResult> {
  const { record, epoch } = yield* requireProcess(tx, id)
  const prefix = journalBefore(id, yield* tx.listJournal(record.id, epoch), request.from)
  const { wakeTarget } = record
  const asked = askedFor(forkedRegistration(record, request.id), {
    isDueAtOnce: true,
    ...(wakeTarget === undefined ? {} : { grant: { scope: wakeTarget } }),
  })
  const result = yield* register(tx, asked)
  if (result.type === 'registered') yield* copy(tx, result.record, prefix)
  return result
}

/** A journal is written under a lease and in no other way: whoever forks holds the new process for as long as that takes. */
function* copy(
  tx: StoreTransaction,
  { id }: ProcessRecord,
  entries: readonly JournalEntry[],
): Operation<void> {
  const now = yield* tx.now()
  const owner = { ownerId: 'fork', incarnationId: uuidv7(), liveness: { kind: 'opaque' } } as const
  const lease = acquire(undefined, { processId: id, owner, ttlMs: 60_000 }, now)
  yield* tx.saveLease(id, { fence: lease.fencingToken, holder: lease }, 0)
  for (const entry of entries) yield* saveEntry(tx, lease, { ...entry, processId: id, epoch: 0 }, now)
  yield* tx.saveLease(id, { fence: lease.fencingToken }, lease.fencingToken)
}
