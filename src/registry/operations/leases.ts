import { DUE } from '../../model/due.ts'
import type { ProcessId } from '../../model/ids.ts'
import {
  acquire,
  type ClaimOutcome,
  type DeathEvidence,
  decideClaim,
  decideReacquire,
  decideReclaim,
  decideRenew,
  freed,
  isLive,
  leaseLost,
  namesHolder,
  type ProcessLease,
  type StoredLease,
} from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import { together } from '../operation.ts'
import type { LeaseOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { dueAt } from './due.ts'
import { freePlace, mayReturn, withoutTurn } from './flow.ts'
import { requireProcess, withOwnerBack } from './shared.ts'

export function createLeaseOperations(store: ProcessStore): LeaseOperations {
  return {
    claim: (id, owner, ttlMs) =>
      store.transaction(function* (tx) {
        const [process, stored, now] = yield* together(
          requireProcess(tx, id),
          tx.loadLease(id as ProcessId),
          tx.now(),
        )
        const outcome = decideClaim(stored, { processId: process.record.id, owner, ttlMs }, now)
        return yield* saveClaim(tx, stored, outcome, process)
      }),

    reclaim: (id, owner, observed, { ttlMs, evidence }) =>
      store.transaction(function* (tx) {
        const [process, stored, now] = yield* together(
          requireProcess(tx, id),
          tx.loadLease(id as ProcessId),
          tx.now(),
        )
        const isProvenDead = namesHolder(evidence, stored?.holder)
        const request = { processId: process.record.id, owner, ttlMs, observed, isProvenDead }
        return yield* saveClaim(tx, stored, decideReclaim(stored, request, now), process)
      }),

    renew: (lease, ttlMs) => extend(store, lease, (stored, now) => decideRenew(stored, lease, ttlMs, now)),

    reacquire: (lease, ttlMs) =>
      extend(store, lease, (stored, now) => decideReacquire(stored, lease, ttlMs, now)),

    getLease: id =>
      store.read(function* (reader) {
        const stored = yield* reader.loadLease(id as ProcessId)
        return stored?.holder
      }),

    release: ({ processId, leaseToken }) =>
      store.transaction(function* (tx) {
        const stored = yield* tx.loadLease(processId)
        if (stored?.holder?.leaseToken !== leaseToken) return
        yield* tx.saveLease(processId, freed(stored), stored.fence)
        yield* freePlace(tx, stored.holder)
      }),

    // "#" cannot stand in a process id, so a duty's lease shares the table and the rules, and nothing else.
    claimDuty: (duty, owner, { ttlMs, evidence }) =>
      store.transaction(tx => claimDuty(tx, { processId: `#${duty}` as ProcessId, owner, ttlMs }, evidence)),
  }
}

function* claimDuty(
  tx: StoreTransaction,
  request: Parameters<typeof decideClaim>[1],
  evidence: DeathEvidence | undefined,
): Operation<ClaimOutcome> {
  const [stored, now] = yield* together(tx.loadLease(request.processId), tx.now())
  const outcome: ClaimOutcome = namesHolder(evidence, stored?.holder)
    ? { type: 'acquired', lease: acquire(stored, request, now) }
    : decideClaim(stored, request, now)
  if (outcome.type === 'busy') return outcome
  const isSaved = yield* tx.saveLease(
    request.processId,
    afterClaim(stored, outcome.lease),
    stored?.fence ?? 0,
  )
  // The first claim of all has no row to lock, and another may have made it meanwhile: it is there to be locked now.
  return isSaved ? outcome : yield* claimDuty(tx, request, evidence)
}

function* saveClaim(
  tx: StoreTransaction,
  stored: StoredLease | undefined,
  outcome: ClaimOutcome,
  process?: StoredProcess,
): Operation<ClaimOutcome> {
  if (outcome.type === 'busy') return outcome
  const { lease } = outcome
  yield* tx.saveLease(lease.processId, afterClaim(stored, lease), stored?.fence ?? 0)
  if (
    process !== undefined &&
    !isTerminal(process.record.status) &&
    process.record.disposition !== 'externally_owned'
  ) {
    yield* tx.saveDue(lease.processId, DUE.afterLease(lease.expiresAtMs))
  }
  return outcome
}

/** Its own holder, claiming again, keeps what belongs to its attempt: the worker to be proven dead, the backend's token. */
function afterClaim(stored: StoredLease | undefined, lease: ProcessLease): StoredLease {
  const isOwn = stored?.fence === lease.fencingToken
  const kept = stored === undefined || isOwn ? stored : freed(stored)
  return { ...kept, fence: lease.fencingToken, holder: lease }
}

/** Renewal and re-claim of an attempt's lease: what belongs to the attempt stays beside it, the due time follows it. */
function extend(
  store: ProcessStore,
  lease: ProcessLease,
  decide: (stored: StoredLease | undefined, now: number) => ProcessLease | undefined,
): Promise<ProcessLease> {
  return store.transaction(function* (tx) {
    const { processId } = lease
    const [process, stored, now] = yield* together(
      tx.loadProcess(processId),
      tx.loadLease(processId),
      tx.now(),
    )
    const extended =
      process === undefined || isTerminal(process.record.status) ? undefined : decide(stored, now)
    if (process === undefined || stored === undefined || extended === undefined)
      throw leaseLost(lease, stored, now)
    if (!isLive(stored.holder, now) && !(yield* mayReturn(tx, process, stored)))
      throw leaseLost(lease, stored, now)
    yield* tx.saveLease(
      lease.processId,
      { ...stored, fence: extended.fencingToken, holder: extended },
      stored.fence,
    )
    const due = DUE.afterLease(extended.expiresAtMs)
    const next = yield* withOwnerBack(tx, withoutTurn(process), lease.owner.incarnationId, now)
    if (next === process) yield* tx.saveDue(lease.processId, due)
    else yield* tx.saveProcess(dueAt(next, due), { status: 'running' })
    return extended
  })
}
