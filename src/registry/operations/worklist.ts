import { DUE } from '../../model/due.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import type { WorklistOperations } from '../registry.ts'
import type { ProcessStore } from '../store.ts'
import { withExternalRef } from './rows.ts'
import { dueAt, requireProcess } from './shared.ts'

export function createWorklistOperations(store: ProcessStore): WorklistOperations {
  return {
    dueProcesses: limit =>
      store.read(function* (reader) {
        const now = yield* reader.now()
        const due: StoredProcess[] = []
        for (const id of yield* reader.listDue(now, limit)) {
          const stored = yield* reader.loadProcess(id)
          if (stored !== undefined) due.push(stored)
        }
        return due
      }),

    msUntilDue: () =>
      store.read(function* (reader) {
        const dueAtMs = yield* reader.nextDue()
        const now = yield* reader.now()
        return dueAtMs === undefined ? undefined : Math.max(0, dueAtMs - now)
      }),

    recordSubmitted: (id, { ref, attempts }) =>
      store.transaction(function* (tx) {
        let stored = yield* requireProcess(tx, id)
        const isNewRef = stored.record.externalRef === undefined
        if (isNewRef) stored = yield* withExternalRef(tx, stored, ref)
        const now = yield* tx.now()
        // An attempt that began meanwhile keeps its own due time: this submission has done its work.
        const hasBegun = stored.record.attempts !== attempts
        if (hasBegun && !isNewRef) return
        const submissions = stored.submissions + 1
        const isLookedAt = hasBegun || (isTerminal(stored.record.status) && !stored.isRunWaiting)
        const next = isLookedAt
          ? stored
          : dueAt({ ...stored, submissions }, DUE.afterSubmit(now, stored.submissions))
        yield* tx.saveProcess(next, { status: 'any' })
      }),

    changesSince: (cursor, limit) => store.read(reader => reader.listChanges(cursor, limit)),

    latestChange: () => store.read(reader => reader.latestChange()),
  }
}
