import { type RawBuilder, sql } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { StepSpan, StreamContent, StreamHead, StreamRow } from '../../model/stream.ts'
import type { LeaseGuard, Operation } from '../store.ts'
import { decode, encode } from './json-text.ts'
import { type GuardBindings, guardBindings, heldLease } from './leases.ts'
import type { StreamTableRow } from './schema.ts'
import type { SqlPlatform, SqlSession } from './session.ts'
import { type Named, prepare, type SqlValue } from './statement.ts'

const COLUMNS = [
  'process_id',
  'channel',
  'to_offset',
  'from_offset',
  'epoch',
  'attempt',
  'fence',
  'step',
  'content',
  'written_at',
] as const satisfies readonly (keyof StreamTableRow)[]

// The union of the columns' types would not be callable.
const bound = (parameter: RawBuilder<SqlValue>): RawBuilder<SqlValue> => parameter

/** Two that go on at the same offset: one is refused here, or by the primary key where neither sees the other. */
const insertRow = prepare((db, p: Named<StreamTableRow & GuardBindings>, dialect) =>
  db
    .insertInto('stream_rows')
    .columns(COLUMNS)
    .expression(
      db
        .selectNoFrom(COLUMNS.map(column => bound(p[column]).as(column)))
        .where(({ exists }) => exists(heldLease(db, p.process_id, p, dialect)))
        .where(({ eb, fn, selectFrom }) =>
          eb(
            fn.coalesce(
              selectFrom('stream_rows as before')
                .select(({ fn }) => fn.max<number>('before.to_offset').as('end'))
                .where('before.process_id', '=', p.process_id)
                .where('before.channel', '=', p.channel),
              sql.lit(0),
            ),
            '=',
            p.from_offset,
          ),
        ),
    ),
)

export function* insertStreamRow(
  session: SqlSession,
  platform: SqlPlatform,
  row: StreamRow,
  guard: LeaseGuard,
): Operation<boolean> {
  const bindings = {
    process_id: row.processId,
    channel: row.channel,
    to_offset: row.to,
    from_offset: row.from,
    epoch: row.epoch,
    attempt: row.attempt,
    fence: row.fence,
    ...columnsOf(row.content),
    written_at: row.writtenAtMs,
    ...guardBindings(platform, guard),
  }
  return yield* session.save(insertRow, bindings)
}

const selectRows = prepare((db, p: Named<{ id: ProcessId; channel: string; from: number; limit: number }>) =>
  db
    .selectFrom('stream_rows')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('channel', '=', p.channel)
    .where('to_offset', '>', p.from)
    .orderBy('to_offset')
    .limit(p.limit),
)

export function* listStreamRows(
  session: SqlSession,
  id: ProcessId,
  channel: string,
  from: number,
  limit: number,
): Operation<StreamRow[]> {
  const rows = yield* session.all(selectRows, { id, channel, from, limit })
  return rows.map(rowOf)
}

/** The step stands in a column of its own, by which rows are found. */
function columnsOf(content: StreamContent): Pick<StreamTableRow, 'step' | 'content'> {
  if ('retracted' in content) return { step: null, content: encode(content) }
  const { step = null, deltas } = content
  return { step, content: encode({ deltas }) }
}

function rowOf(row: StreamTableRow): StreamRow {
  const content = decode(row.content)
  return {
    processId: row.process_id,
    channel: row.channel,
    from: row.from_offset,
    to: row.to_offset,
    epoch: row.epoch,
    attempt: row.attempt,
    fence: row.fence,
    content: row.step === null ? content : { ...content, step: row.step },
    writtenAtMs: row.written_at,
  }
}

const selectHeads = prepare((db, p: Named<{ id: ProcessId }>) =>
  db
    .selectFrom('stream_rows')
    .select(({ fn }) => ['channel', fn.max<number>('to_offset').as('next')])
    .where('process_id', '=', p.id)
    .groupBy('channel')
    .orderBy('channel'),
)

export function* listStreamHeads(session: SqlSession, id: ProcessId): Operation<StreamHead[]> {
  const rows = yield* session.all(selectHeads, { id })
  return rows.map(({ channel, next }) => ({ channel, next }))
}

const selectOutside = prepare((db, p: Named<{ id: ProcessId; epoch: number }>) =>
  db
    .selectFrom('stream_rows')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('epoch', '=', p.epoch)
    .where('step', 'is', null)
    .orderBy('channel')
    .orderBy('to_offset'),
)

export function* listOutsideRows(session: SqlSession, id: ProcessId, epoch: number): Operation<StreamRow[]> {
  return (yield* session.all(selectOutside, { id, epoch })).map(rowOf)
}

const selectSpans = prepare((db, p: Named<{ id: ProcessId; epoch: number }>) => {
  const spoken = db
    .selectFrom('stream_rows as spoken')
    .where('spoken.process_id', '=', p.id)
    .where('spoken.epoch', '=', p.epoch)
    .where('spoken.step', 'is not', null)
  return db
    .selectFrom('stream_rows')
    .select(['channel', 'step', 'from_offset as from', 'to_offset as to'])
    .where('process_id', '=', p.id)
    .where('epoch', '=', p.epoch)
    .where('step', 'is not', null)
    .where(
      'attempt',
      '=',
      spoken.select(({ fn }) => fn.max<number>('spoken.attempt').as('last')),
    )
    .orderBy('channel')
    .orderBy('to_offset')
})

export function* listStepSpans(session: SqlSession, id: ProcessId, epoch: number): Operation<StepSpan[]> {
  const rows = yield* session.all(selectSpans, { id, epoch })
  return rows.flatMap(({ step, ...span }) => (step === null ? [] : [{ step, ...span }]))
}
