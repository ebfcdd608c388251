import { decideResolve, effectOf, type ResolveRequest } from '../../model/effect.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { RESERVED_EVENT_TYPES } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import { asJson } from '../../model/json.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { satisfyStepWaits } from '../../model/wait.ts'
import type { EffectOperations, ResolveResult } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { changed } from './due.ts'
import { insertEvent, requireProcess } from './shared.ts'
import { dueForWait } from './waiters.ts'

export function createEffectOperations(store: ProcessStore): EffectOperations {
  return {
    effects: id =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        const lease = yield* reader.loadLease(record.id)
        const now = yield* reader.now()
        return (yield* reader.listOnceSteps(record.id)).map(entry => effectOf(entry, lease, now))
      }),

    resolveStep: async (id, step, answer, { by, epoch, deadWorker }) => {
      if (by.trim() === '') {
        const problem = 'Whoever resolves a step says who they are; "by" is blank.'
        throw new LeaseholdError('usage', problem, { processId: id })
      }
      if (answer !== 'not_done') requirePayloadSize(`value of step "${step}"`, answer.value, id)
      return store.transaction(function* (tx) {
        const stored = yield* requireProcess(tx, id)
        return yield* resolve(tx, stored, {
          processId: stored.record.id,
          epoch: epoch ?? stored.epoch,
          step,
          answer,
          by,
          ...(deadWorker === undefined ? {} : { deadWorker }),
        })
      })
    },

    journalEntry: (id, address) =>
      store.read(function* (reader) {
        const { record, epoch } = yield* requireProcess(reader, id as ProcessId)
        return yield* reader.loadJournalEntry(record.id, epoch, address)
      }),
  }
}

function* resolve(
  tx: StoreTransaction,
  stored: StoredProcess,
  request: ResolveRequest,
): Operation<ResolveResult> {
  const { record, epoch } = stored
  const known = yield* tx.loadJournalEntry(record.id, request.epoch, request.step)
  // Locked, so that no write of the attempt that holds it comes in between.
  const lease = yield* tx.loadLease(record.id)
  const now = yield* tx.now()
  const decision = decideResolve(known, lease, request, now)
  const effect = effectOf(decision.entry, lease, now)
  if (decision.type === 'replay') return { type: 'replayed', effect, isDue: false }
  const { entry } = decision
  if (!(yield* tx.saveResolution(entry))) throw alreadyKnown(entry)
  const told = {
    eventType: RESERVED_EVENT_TYPES.stepResolved,
    payload: asJson({
      step: entry.address,
      epoch: entry.epoch,
      operationId: entry.operationId,
      answer: entry.resolution?.answer,
      by: request.by,
    }),
  }
  const { stored: noted } = yield* insertEvent(tx, stored, told, now)
  const next = request.epoch === epoch ? yield* withStepResolved(tx, noted, entry, now) : unmoved(noted)
  yield* tx.saveProcess(next.stored, { status: 'any' })
  return { type: 'resolved', effect, isDue: next.isDue }
}

/** The row with its waits for a word on the step marked, and due for them. Still to be saved. */
function* withStepResolved(
  tx: StoreTransaction,
  stored: StoredProcess,
  entry: JournalEntry,
  now: number,
): Operation<{ stored: StoredProcess; isDue: boolean }> {
  const { waits, status } = stored.record
  const met = satisfyStepWaits(waits, entry.address, now)
  if (isTerminal(status) || met === waits) return unmoved(stored)
  return yield* dueForWait(tx, changed(stored, { waits: met }, now), now)
}

const unmoved = (stored: StoredProcess) => ({ stored, isDue: false })

const alreadyKnown = (entry: JournalEntry): LeaseholdError =>
  new LeaseholdError(
    'step_resolution_conflict',
    `What became of step "${entry.address}" of process "${entry.processId}" was written meanwhile. Look again with "leasehold effects ${entry.processId}".`,
    { processId: entry.processId, details: { step: entry.address } },
  )
