import type { Kysely } from 'kysely'
import type { Trigger } from '../../model/trigger.ts'
import type { Operation } from '../store.ts'
import { decode, encode } from './json-text.ts'
import type { Schema } from './schema.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'
import type { TriggerRow } from './trigger-tables.ts'

const STATE_COLUMNS = [
  'revision',
  'version',
  'source',
  'start',
  'is_paused',
  'listens_to',
  'next_at',
  'updated_at',
] as const satisfies readonly (keyof TriggerRow)[]

const COLUMNS = [
  'trigger_id',
  'incarnation',
  'created_at',
  ...STATE_COLUMNS,
] as const satisfies readonly (keyof TriggerRow)[]

const toRow = (trigger: Trigger): TriggerRow => ({
  trigger_id: trigger.triggerId,
  incarnation: trigger.incarnation,
  revision: trigger.revision,
  version: trigger.version,
  source: encode(trigger.source),
  start: encode(trigger.start),
  is_paused: trigger.isPaused ? 1 : 0,
  listens_to: trigger.source.type === 'event' && !trigger.isPaused ? trigger.source.name : null,
  next_at: trigger.nextAtMs ?? null,
  created_at: trigger.createdAtMs,
  updated_at: trigger.updatedAtMs,
})

const fromRow = (row: TriggerRow): Trigger => ({
  triggerId: row.trigger_id,
  source: decode(row.source),
  start: decode(row.start),
  incarnation: row.incarnation,
  revision: row.revision,
  isPaused: row.is_paused === 1,
  ...(row.next_at === null ? {} : { nextAtMs: row.next_at }),
  createdAtMs: row.created_at,
  updatedAtMs: row.updated_at,
  version: row.version,
})

const byId = (db: Kysely<Schema>, p: Named<{ id: string }>) =>
  db.selectFrom('triggers').selectAll().where('trigger_id', '=', p.id)

const selectTrigger = prepare((db, p: Named<{ id: string }>) => byId(db, p))

export function* loadTrigger(session: SqlSession, id: string): Operation<Trigger | undefined> {
  const [row] = yield* session.all(selectTrigger, { id })
  return row && fromRow(row)
}

const selectTriggerForUpdate = prepare((db, p: Named<{ id: string }>, { forUpdate }) =>
  forUpdate(byId(db, p)),
)

export function* loadTriggerForUpdate(session: SqlSession, id: string): Operation<Trigger | undefined> {
  const [row] = yield* session.all(selectTriggerForUpdate, { id })
  return row && fromRow(row)
}

const selectPage = prepare((db, p: Named<{ after: string; limit: number }>) =>
  db
    .selectFrom('triggers')
    .selectAll()
    .where('trigger_id', '>', p.after)
    .orderBy('trigger_id')
    .limit(p.limit),
)

export function* listTriggers(session: SqlSession, after: string, limit: number): Operation<Trigger[]> {
  return (yield* session.all(selectPage, { after, limit })).map(fromRow)
}

const selectOfEvent = prepare((db, p: Named<{ name: string }>) =>
  db.selectFrom('triggers').selectAll().where('listens_to', '=', p.name).orderBy('trigger_id'),
)

export function* listTriggersOf(session: SqlSession, name: string): Operation<Trigger[]> {
  return (yield* session.all(selectOfEvent, { name })).map(fromRow)
}

const selectDue = prepare((db, p: Named<{ now: number; limit: number }>) =>
  db
    .selectFrom('triggers')
    .selectAll()
    .where('next_at', '<=', p.now)
    .orderBy('next_at')
    .orderBy('trigger_id')
    .limit(p.limit),
)

export function* listDueTriggers(session: SqlSession, now: number, limit: number): Operation<Trigger[]> {
  return (yield* session.all(selectDue, { now, limit })).map(fromRow)
}

const selectNextDue = prepare(db =>
  db.selectFrom('triggers').select('next_at').where('next_at', 'is not', null).orderBy('next_at').limit(1),
)

export function* nextTriggerDue(session: SqlSession): Operation<number | undefined> {
  const [row] = yield* session.all(selectNextDue, {})
  return row?.next_at ?? undefined
}

const insertRow = prepare((db, p: Named<TriggerRow>) =>
  db
    .insertInto('triggers')
    .values(columns(p, COLUMNS))
    .onConflict(oc => oc.column('trigger_id').doNothing()),
)

export function* insertTrigger(session: SqlSession, trigger: Trigger): Operation<boolean> {
  return (yield* session.run(insertRow, toRow(trigger))) === 1
}

const updateRow = prepare((db, p: Named<TriggerRow & { expected_version: number }>) =>
  db
    .updateTable('triggers')
    .set(columns(p, STATE_COLUMNS))
    .where('trigger_id', '=', p.trigger_id)
    .where('incarnation', '=', p.incarnation)
    .where('version', '=', p.expected_version),
)

export function* saveTrigger(
  session: SqlSession,
  trigger: Trigger,
  expectedVersion: number,
): Operation<boolean> {
  const row = { ...toRow(trigger), expected_version: expectedVersion }
  return (yield* session.run(updateRow, row)) === 1
}

const deleteRow = prepare((db, p: Named<{ id: string }>) =>
  db.deleteFrom('triggers').where('trigger_id', '=', p.id),
)

export function* deleteTrigger(session: SqlSession, id: string): Operation<boolean> {
  return (yield* session.run(deleteRow, { id })) === 1
}
