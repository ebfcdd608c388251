import type { Kysely } from 'kysely'
import type { TriggerDelivery, TriggerOccurrence } from '../../model/trigger.ts'
import type { Operation } from '../store.ts'
import { decode, encode } from './json-text.ts'
import type { Schema } from './schema.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'
import type { TriggerDeliveryRow, TriggerOccurrenceRow } from './trigger-tables.ts'

type DeliveryRow = TriggerDeliveryRow & TriggerOccurrenceRow

const STATE_COLUMNS = [
  'status',
  'due_at',
  'failures',
  'reason',
  'version',
] as const satisfies readonly (keyof TriggerDeliveryRow)[]

const COLUMNS = [
  'process_id',
  'occurrence_id',
  'trigger_id',
  'ordered',
  'reserved_at',
  ...STATE_COLUMNS,
] as const satisfies readonly (keyof TriggerDeliveryRow)[]

const toRow = (delivery: TriggerDelivery): TriggerDeliveryRow => ({
  process_id: delivery.processId,
  occurrence_id: delivery.occurrence.occurrenceId,
  trigger_id: delivery.trigger.triggerId,
  ordered: encode(delivery.trigger),
  status: delivery.status,
  due_at: delivery.dueAtMs ?? null,
  failures: delivery.failures,
  reason: delivery.reason ?? null,
  reserved_at: delivery.reservedAtMs,
  version: delivery.version,
})

const fromRow = (row: DeliveryRow): TriggerDelivery => ({
  processId: row.process_id,
  occurrence: toOccurrence(row),
  trigger: decode(row.ordered),
  status: row.status,
  ...(row.due_at === null ? {} : { dueAtMs: row.due_at }),
  failures: row.failures,
  ...(row.reason === null ? {} : { reason: row.reason }),
  reservedAtMs: row.reserved_at,
  version: row.version,
})

const toOccurrence = (row: TriggerOccurrenceRow): TriggerOccurrence => ({
  occurrenceId: row.occurrence_id,
  source: decode(row.source),
  payload: decode(row.payload),
  occurredAtMs: row.occurred_at,
})

const selectOccurrence = prepare((db, p: Named<{ id: string }>) =>
  db.selectFrom('trigger_occurrences').selectAll().where('occurrence_id', '=', p.id),
)

export function* loadOccurrence(session: SqlSession, id: string): Operation<TriggerOccurrence | undefined> {
  const [row] = yield* session.all(selectOccurrence, { id })
  return row && toOccurrence(row)
}

/** Each with its occurrence. */
const deliveries = (db: Kysely<Schema>) =>
  db
    .selectFrom('trigger_deliveries as delivery')
    .innerJoin('trigger_occurrences as occurrence', 'occurrence.occurrence_id', 'delivery.occurrence_id')
    .selectAll('delivery')
    .select(['occurrence.source', 'occurrence.payload', 'occurrence.occurred_at'])

const byId = (db: Kysely<Schema>, p: Named<{ id: string }>) =>
  deliveries(db).where('delivery.process_id', '=', p.id)

const selectDelivery = prepare((db, p: Named<{ id: string }>) => byId(db, p))

const lockDelivery = prepare((db, p: Named<{ id: string }>, { forUpdate }) => forUpdate(byId(db, p)))

export function* loadDelivery(session: SqlSession, id: string): Operation<TriggerDelivery | undefined> {
  const [row] = yield* session.all(selectDelivery, { id })
  return row && fromRow(row)
}

export function* loadDeliveryForUpdate(
  session: SqlSession,
  id: string,
): Operation<TriggerDelivery | undefined> {
  const [row] = yield* session.all(lockDelivery, { id })
  return row && fromRow(row)
}

const selectOfOccurrence = prepare((db, p: Named<{ id: string }>) =>
  deliveries(db).where('delivery.occurrence_id', '=', p.id).orderBy('delivery.trigger_id'),
)

export function* listDeliveries(session: SqlSession, occurrenceId: string): Operation<TriggerDelivery[]> {
  return (yield* session.all(selectOfOccurrence, { id: occurrenceId })).map(fromRow)
}

const selectDue = prepare((db, p: Named<{ now: number; limit: number }>) =>
  deliveries(db)
    .where('delivery.due_at', '<=', p.now)
    .orderBy('delivery.due_at')
    .orderBy('delivery.process_id')
    .limit(p.limit),
)

export function* listDueDeliveries(
  session: SqlSession,
  now: number,
  limit: number,
): Operation<TriggerDelivery[]> {
  return (yield* session.all(selectDue, { now, limit })).map(fromRow)
}

const selectNextDue = prepare(db =>
  db
    .selectFrom('trigger_deliveries')
    .select('due_at')
    .where('due_at', 'is not', null)
    .orderBy('due_at')
    .limit(1),
)

export function* nextDeliveryDue(session: SqlSession): Operation<number | undefined> {
  const [row] = yield* session.all(selectNextDue, {})
  return row?.due_at ?? undefined
}

const insertOccurrenceRow = prepare((db, p: Named<TriggerOccurrenceRow>) =>
  db
    .insertInto('trigger_occurrences')
    .values(columns(p, ['occurrence_id', 'source', 'payload', 'occurred_at']))
    .onConflict(oc => oc.column('occurrence_id').doNothing()),
)

export function* insertOccurrence(session: SqlSession, occurrence: TriggerOccurrence): Operation<boolean> {
  const row: TriggerOccurrenceRow = {
    occurrence_id: occurrence.occurrenceId,
    source: encode(occurrence.source),
    payload: encode(occurrence.payload),
    occurred_at: occurrence.occurredAtMs,
  }
  return (yield* session.run(insertOccurrenceRow, row)) === 1
}

const insertRow = prepare((db, p: Named<TriggerDeliveryRow>) =>
  db.insertInto('trigger_deliveries').values(columns(p, COLUMNS)),
)

export function* insertDelivery(session: SqlSession, delivery: TriggerDelivery): Operation<void> {
  yield* session.send(insertRow, toRow(delivery))
}

const updateRow = prepare((db, p: Named<TriggerDeliveryRow & { expected_version: number }>) =>
  db
    .updateTable('trigger_deliveries')
    .set(columns(p, STATE_COLUMNS))
    .where('process_id', '=', p.process_id)
    .where('version', '=', p.expected_version),
)

export function* saveDelivery(
  session: SqlSession,
  delivery: TriggerDelivery,
  expectedVersion: number,
): Operation<boolean> {
  const row = { ...toRow(delivery), expected_version: expectedVersion }
  return (yield* session.run(updateRow, row)) === 1
}

const deleteRow = prepare((db, p: Named<{ id: string }>) =>
  db.deleteFrom('trigger_deliveries').where('process_id', '=', p.id),
)

export function* deleteDelivery(session: SqlSession, id: string): Operation<void> {
  yield* session.send(deleteRow, { id })
}

const deleteOld = prepare((db, p: Named<{ before: number }>) =>
  db
    .deleteFrom('trigger_occurrences')
    .where('occurred_at', '<', p.before)
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('trigger_deliveries as delivery')
            .select('delivery.process_id')
            .whereRef('delivery.occurrence_id', '=', 'trigger_occurrences.occurrence_id')
            .where('delivery.status', '!=', 'failed'),
        ),
      ),
    ),
)

export function* deleteOccurrences(session: SqlSession, before: number): Operation<void> {
  yield* session.send(deleteOld, { before })
}
