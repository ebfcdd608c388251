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
        const next = isOvertaken(stored, attempts) ? stored : withSubmission(stored, yield* tx.now())
        if (isNewRef || next !== stored) yield* tx.saveProcess(next, { status: 'any' })
      }),

    postpone: (id, { attempts }) =>
      store.transaction(function* (tx) {
        const stored = yield* requireProcess(tx, id)
        if (isOvertaken(stored, attempts)) return
        yield* tx.saveProcess(withSubmission(stored, yield* tx.now()), { status: 'any' })
      }),

    changesSince: (cursor, limit) => store.read(reader => reader.listChanges(cursor, limit)),

    latestChange: () => store.read(reader => reader.latestChange()),
  }
}

/** An attempt began meanwhile, or nobody needs the row any more: its due time is not the submission's to set. */
function isOvertaken(stored: StoredProcess, attempts: number): boolean {
  if (stored.record.attempts !== attempts) return true
  return isTerminal(stored.record.status) && !stored.isRunWaiting
}

const withSubmission = (stored: StoredProcess, now: number): StoredProcess =>
  dueAt({ ...stored, submissions: stored.submissions + 1 }, DUE.afterSubmit(now, stored.submissions))
