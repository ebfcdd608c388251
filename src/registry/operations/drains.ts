import { decideDrain } from '../../model/drain.ts'
import { LeaseholdError } from '../../model/errors.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { DrainOperations } from '../registry.ts'
import type { ProcessStore } from '../store.ts'
import { takeLease } from './take-lease.ts'

/** Reports of workers that are long gone; nobody asks for them any more. */
const KEPT_MS = 7 * 86_400_000

export function createDrainOperations(store: ProcessStore): DrainOperations {
  return {
    requestDrain: (incarnationId, requestedBy) =>
      store.transaction(function* (tx) {
        const now = yield* tx.now()
        const known = yield* tx.loadDrain(incarnationId)
        if (known !== undefined) return known
        const row = (yield* tx.listWorkers()).find(({ worker }) => worker.incarnationId === incarnationId)
        if (row === undefined) throw workerUnknown(incarnationId)
        const request = { worker: row.worker, requestedBy, requestedAtMs: now }
        yield* tx.deleteDrains(now - KEPT_MS)
        yield* tx.saveDrain(request)
        return request
      }),

    drainOf: incarnationId => store.read(reader => reader.loadDrain(incarnationId)),

    reportDrain: (incarnationId, report) =>
      store.transaction(function* (tx) {
        const known = yield* tx.loadDrain(incarnationId)
        if (known !== undefined && known.report === undefined) yield* tx.saveDrain({ ...known, report })
      }),

    beginDrain: (id, request) =>
      store.transaction(function* (tx) {
        const stored = yield* tx.loadProcess(id as ProcessId)
        if (stored === undefined) return { type: 'deferred', reason: 'absent' }
        const lease = yield* tx.loadLease(stored.record.id)
        const now = yield* tx.now()
        const decision = decideDrain(stored, lease, request.worker, now)
        if (decision.type !== 'abandon') return decision
        const { attemptsSpent } = stored
        const taken = yield* takeLease(tx, stored, lease, request, now, {
          attemptsSpent,
          deathProof: lease?.deathProof,
        })
        return { type: 'settle', lease: taken.lease, outcome: decision.outcome }
      }),
  }
}

const workerUnknown = (incarnationId: string): LeaseholdError =>
  new LeaseholdError(
    'worker_unknown',
    `No worker "${incarnationId}" is announced in this registry: it has stopped, or was never there. "leasehold drain" names those that run.`,
    { details: { worker: incarnationId } },
  )
