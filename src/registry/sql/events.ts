import type { ProcessEvent, StoredEvent } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { Operation } from '../store.ts'
import { BLOB_COLUMNS, putBackIntoRows, saveProcessBlobs, takeOutOfRow } from './blobs.ts'
import { eventFromRow, toEventRow } from './rows/event-row.ts'
import type { EventRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'

const wholeEvents = (session: SqlSession, rows: EventRow[]): Operation<EventRow[]> =>
  putBackIntoRows(session, rows, BLOB_COLUMNS.events, row => ({ processId: row.process_id }))

function* toEvents(session: SqlSession, rows: EventRow[]): Operation<ProcessEvent[]> {
  return (yield* wholeEvents(session, rows)).map(eventFromRow)
}

const selectByReplayKey = prepare((db, p: Named<{ id: ProcessId; key: string }>) =>
  db.selectFrom('events').selectAll().where('process_id', '=', p.id).where('replay_key', '=', p.key),
)

export function* findEvent(
  session: SqlSession,
  id: ProcessId,
  replayKey: string,
): Operation<StoredEvent | undefined> {
  const rows = yield* session.seldom(selectByReplayKey, { id, key: replayKey })
  const [row] = yield* wholeEvents(session, rows)
  return row && { event: eventFromRow(row), payloadHash: row.payload_hash }
}

const selectAfter = prepare((db, p: Named<{ id: ProcessId; after: number; limit: number }>) =>
  db
    .selectFrom('events')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('sequence', '>', p.after)
    .orderBy('sequence')
    .limit(p.limit),
)

export function* listEvents(
  session: SqlSession,
  id: ProcessId,
  after: number,
  limit: number,
): Operation<ProcessEvent[]> {
  return yield* toEvents(session, yield* session.all(selectAfter, { id, after, limit }))
}

const selectLast = prepare((db, p: Named<{ id: ProcessId; limit: number }>) =>
  db
    .selectFrom('events')
    .selectAll()
    .where('process_id', '=', p.id)
    .orderBy('sequence', 'desc')
    .limit(p.limit),
)

export function* listRecentEvents(
  session: SqlSession,
  id: ProcessId,
  limit: number,
): Operation<ProcessEvent[]> {
  const rows = yield* session.all(selectLast, { id, limit })
  return (yield* toEvents(session, rows)).reverse()
}

const countOfType = prepare((db, p: Named<{ id: ProcessId; type: string; through: number }>) =>
  db
    .selectFrom('events')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('process_id', '=', p.id)
    .where('event_type', '=', p.type)
    .where('sequence', '<=', p.through),
)

export function* countEvents(
  session: SqlSession,
  id: ProcessId,
  eventType: string,
  through: number,
): Operation<number> {
  const [row] = yield* session.all(countOfType, { id, type: eventType, through })
  return row?.count ?? 0
}

const selectFirstOfType = prepare((db, p: Named<{ id: ProcessId; type: string; after: number }>) =>
  db
    .selectFrom('events')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('event_type', '=', p.type)
    .where('sequence', '>', p.after)
    .orderBy('sequence')
    .limit(1),
)

export function* findEventOfType(
  session: SqlSession,
  id: ProcessId,
  eventType: string,
  after: number,
): Operation<ProcessEvent | undefined> {
  const [event] = yield* toEvents(
    session,
    yield* session.all(selectFirstOfType, { id, type: eventType, after }),
  )
  return event
}

const selectUnconsumed = prepare((db, p: Named<{ id: ProcessId; type: string }>) =>
  db
    .selectFrom('events')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('event_type', '=', p.type)
    .where('unconsumed_signal', 'is not', null)
    .orderBy('sequence')
    .limit(1),
)

export function* findSignal(
  session: SqlSession,
  id: ProcessId,
  eventType: string,
): Operation<ProcessEvent | undefined> {
  const [event] = yield* toEvents(session, yield* session.all(selectUnconsumed, { id, type: eventType }))
  return event
}

const updateConsumed = prepare((db, p: Named<{ id: ProcessId; sequence: number }>) =>
  db
    .updateTable('events')
    .set({ unconsumed_signal: null })
    .where('process_id', '=', p.id)
    .where('sequence', '=', p.sequence)
    .where('unconsumed_signal', 'is not', null),
)

export function* consumeSignal(session: SqlSession, id: ProcessId, sequence: number): Operation<void> {
  yield* session.send(updateConsumed, { id, sequence })
}

const selectUnacked = prepare((db, p: Named<{ id: ProcessId; after: number; limit: number }>) =>
  db
    .selectFrom('events')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('unacked_wake', 'is not', null)
    .where('sequence', '>', p.after)
    .orderBy('sequence')
    .limit(p.limit),
)

export function* listWakeEvents(
  session: SqlSession,
  id: ProcessId,
  after: number,
  limit: number,
): Operation<ProcessEvent[]> {
  return yield* toEvents(session, yield* session.all(selectUnacked, { id, after, limit }))
}

const updateAcked = prepare((db, p: Named<{ id: ProcessId; sequence: number }>) =>
  db
    .updateTable('events')
    .set({ unacked_wake: null })
    .where('process_id', '=', p.id)
    .where('sequence', '=', p.sequence)
    .where('unacked_wake', 'is not', null),
)

export function* ackWake(session: SqlSession, id: ProcessId, sequence: number): Operation<void> {
  yield* session.send(updateAcked, { id, sequence })
}

const insertRow = prepare((db, p: Named<EventRow>) =>
  db
    .insertInto('events')
    .values(
      columns(p, [
        'process_id',
        'sequence',
        'event_type',
        'payload',
        'session_id',
        'caused_by',
        'replay_key',
        'payload_hash',
        'occurred_at',
        'semantics',
        'unacked_wake',
        'unconsumed_signal',
      ]),
    ),
)

export function* insertEvent(session: SqlSession, stored: StoredEvent): Operation<void> {
  const { row, blobs } = takeOutOfRow(toEventRow(stored), BLOB_COLUMNS.events)
  yield* session.send(insertRow, row)
  yield* saveProcessBlobs(session, row.process_id, blobs)
}
