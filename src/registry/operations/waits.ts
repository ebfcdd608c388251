import { DUE } from '../../model/due.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { asJson } from '../../model/json.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import { type WaitState, withoutWait, withWait } from '../../model/wait.ts'
import type { WaitOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { changed, dueAt } from './due.ts'
import { insertEvent, requireProcess } from './shared.ts'
import { dueForWait, isSatisfied, lockAwaited } from './waiters.ts'

export function createWaitOperations(store: ProcessStore): WaitOperations {
  return {
    setWait: (id, wait) =>
      store.transaction(function* (tx) {
        yield* lockAwaited(tx, id, [wait])
        const stored = yield* requireProcess(tx, id)
        requireRunning(stored)
        const waits = withWait(stored.record.waits, wait)
        if (waits === undefined) return stored.record
        const now = yield* tx.now()
        // No replay key: the same wait, set again after it was cleared, is told again.
        const waiting = { eventType: 'process.waiting', payload: asJson(wait) }
        const { stored: told } = yield* insertEvent(tx, changed(stored, { waits }, now), waiting, now)
        const next = (yield* isSatisfied(tx, stored.record.id, wait))
          ? yield* satisfied(tx, told, wait.key, now)
          : notLaterThan(told, wait)
        yield* tx.saveProcess(next, { status: 'running' })
        return next.record
      }),

    clearWait: (id, key) =>
      store.transaction(function* (tx) {
        const stored = yield* requireProcess(tx, id)
        const waits = withoutWait(stored.record.waits, key)
        if (waits === undefined) return { record: stored.record, isDue: false }
        const now = yield* tx.now()
        let next = changed(stored, { waits }, now)
        for (const wait of stored.record.waits) {
          if (waits.includes(wait)) continue
          const resumed = { eventType: 'process.resumed', payload: { key: wait.key } }
          next = (yield* insertEvent(tx, next, resumed, now)).stored
        }
        const cleared = yield* dueForWait(tx, next, now)
        yield* tx.saveProcess(cleared.stored, { status: 'running' })
        return { record: cleared.stored.record, isDue: cleared.isDue }
      }),
  }
}

/** What it waits for is there already: it is due at once. */
function* satisfied(
  tx: StoreTransaction,
  stored: StoredProcess,
  key: string,
  now: number,
): Operation<StoredProcess> {
  const mark = (wait: WaitState) => (wait.key === key ? { ...wait, satisfiedAtMs: now } : wait)
  const met = changed(stored, { waits: stored.record.waits.map(mark) }, now)
  return (yield* dueForWait(tx, met, now)).stored
}

/** A run that was told to wait looks again at the new deadline, if that comes first. Any other is on its way anyway. */
function notLaterThan(stored: StoredProcess, { untilMs }: WaitState): StoredProcess {
  const deadline = DUE.afterPark(untilMs)
  if (!stored.isRunWaiting || deadline === undefined) return stored
  return dueAt(stored, Math.min(stored.dueAtMs ?? deadline, deadline))
}

function requireRunning({ record }: StoredProcess): void {
  if (!isTerminal(record.status)) return
  throw new LeaseholdError(
    'process_wait_on_terminal',
    `Process "${record.id}" already ended as ${record.status}; it waits for nothing any more.`,
    { processId: record.id, details: { status: record.status } },
  )
}
