import { isUnreadable } from '../../model/blob.ts'
import { DUE, isPending, SLACK_MS } from '../../model/due.ts'
import type { ProcessId } from '../../model/ids.ts'
import { isNotBegun } from '../../model/lost-task.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import { together } from '../operation.ts'
import type { SeenProcess, WorklistOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreReader } from '../store.ts'
import { dueAt } from './due.ts'
import { withExternalRef } from './rows.ts'
import { findUnlessPruned } from './shared.ts'

export function createWorklistOperations(store: ProcessStore): WorklistOperations {
  return {
    dueProcesses: limit => readDue(store, reader => reader.listDue(undefined, limit)),

    pendingProcesses: limit =>
      readDue(store, function* (reader) {
        const now = yield* reader.now()
        const nearly = yield* reader.listDue(now + SLACK_MS, limit)
        return nearly.filter(stored => isPending(stored, now))
      }),

    notBegun: async limit => {
      const submitted = await readDue(store, reader => reader.listSubmitted(limit))
      return submitted.filter(isNotBegun)
    },

    msUntilDue: () =>
      store.read(function* (reader) {
        const [dueAtMs, now] = yield* together(reader.nextDue(), reader.now())
        return dueAtMs === undefined ? undefined : Math.max(0, dueAtMs - now)
      }),

    recordSubmitted: (id, { ref, ...seen }) =>
      store.transaction(function* (tx) {
        const [before, now] = yield* together(findUnlessPruned(tx, id), tx.now())
        if (before === undefined) return
        const isNewRef = before.record.externalRef === undefined
        const stored = isNewRef ? yield* withExternalRef(tx, before, ref) : before
        const next = isOvertaken(before, seen, now) ? stored : withSubmission(stored, now)
        if (isNewRef || next !== stored) yield* tx.saveProcess(next, { status: 'any' })
      }),

    postpone: (id, seen) =>
      store.transaction(function* (tx) {
        const [stored, now] = yield* together(findUnlessPruned(tx, id), tx.now())
        if (stored === undefined || isOvertaken(stored, seen, now)) return
        yield* tx.saveProcess(withSubmission(stored, now), { status: 'any' })
      }),

    changesSince: (cursor, limit) => store.read(reader => reader.listChanges(cursor, limit)),

    latestChange: () => store.read(reader => reader.latestChange()),
  }
}

/** A row that cannot be read comes back later, so that the next look finds the others. Thrown all the same: somebody is to hear of it. */
async function readDue(
  store: ProcessStore,
  list: (reader: StoreReader) => Operation<StoredProcess[]>,
): Promise<StoredProcess[]> {
  try {
    return await store.read(list)
  } catch (error) {
    if (isUnreadable(error)) {
      const id = error.processId as ProcessId
      await store.transaction(function* (tx) {
        yield* tx.saveDue(id, DUE.afterUnreadable(yield* tx.now()))
      })
    }
    throw error
  }
}

/**
 * An attempt began or an event came meanwhile (a cancel is one), or nobody needs the row any more: its due time is not the
 * submission's to set.
 */
function isOvertaken(
  { record, isRunWaiting, dueAtMs }: StoredProcess,
  seen: SeenProcess,
  now: number,
): boolean {
  if (record.attempts !== seen.attempts || record.lastSequence !== seen.lastSequence) return true
  // Queued meanwhile: its due time is its turn.
  if (record.turn !== undefined && (dueAtMs === undefined || dueAtMs > now)) return true
  return isTerminal(record.status) && !isRunWaiting
}

const withSubmission = (stored: StoredProcess, now: number): StoredProcess =>
  dueAt({ ...stored, submissions: stored.submissions + 1 }, DUE.afterSubmit(now, stored.submissions))
