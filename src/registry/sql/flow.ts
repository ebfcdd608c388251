import type { ProcessId } from '../../model/ids.ts'
import type { Operation, QueuedProcess, QueuePlace } from '../store.ts'
import { decodeOptional } from './json-text.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare } from './statement.ts'

const selectPlaces = prepare((db, p: Named<{ place: string; now: number; except: string }>) =>
  db
    .selectFrom('leases')
    .select(({ fn }) => fn.countAll<number>().as('places'))
    .where('place', '=', p.place)
    .where('expires_at', '>', p.now)
    .where('process_id', '!=', p.except as never),
)

export function* countPlaces(
  session: SqlSession,
  place: string,
  now: number,
  except: ProcessId | undefined,
): Operation<number> {
  // No id is blank.
  const [row] = yield* session.all(selectPlaces, { place, now, except: except ?? '' })
  return row?.places ?? 0
}

interface QueueBindings {
  readonly queue: string
  readonly since: number
}

interface PlaceBindings extends QueueBindings {
  readonly priority: number
  readonly created_at: number
  readonly id: ProcessId
}

const selectAhead = prepare((db, p: Named<PlaceBindings & { at_most: number }>) =>
  db
    .selectFrom('processes')
    .select('id')
    .where('turn', '=', p.queue)
    .where(({ eb, refTuple, tuple }) =>
      eb(refTuple('priority', 'created_at', 'id'), '<', tuple(p.priority, p.created_at, p.id)),
    )
    .where(({ eb, or }) => or([eb('turn_at', 'is', null), eb('turn_at', '>=', p.since)]))
    .limit(p.at_most),
)

export function* countQueued(
  session: SqlSession,
  queue: string,
  { priority, createdAtMs, id }: QueuePlace,
  since: number,
  atMost: number,
): Operation<number> {
  const place = { priority, created_at: createdAtMs, id }
  return (yield* session.all(selectAhead, { queue, since, at_most: atMost, ...place })).length
}

const selectQueue = prepare((db, p: Named<QueueBindings & { limit: number }>) =>
  db
    .selectFrom('processes')
    .select(['id', 'flow', 'turn_at'])
    .where('turn', '=', p.queue)
    .where(({ eb, or }) => or([eb('turn_at', 'is', null), eb('turn_at', '>=', p.since)]))
    .orderBy('priority')
    .orderBy('created_at')
    .orderBy('id')
    .limit(p.limit),
)

export function* listQueued(
  session: SqlSession,
  queue: string,
  since: number,
  limit: number,
): Operation<QueuedProcess[]> {
  const rows = yield* session.all(selectQueue, { queue, since, limit })
  return rows.map(({ id, flow, turn_at }) => ({
    id,
    flow: decodeOptional(flow) ?? {},
    ...(turn_at === null ? {} : { atMs: turn_at }),
  }))
}

const selectRate = prepare((db, p: Named<{ key: string }>) =>
  db.selectFrom('rates').select('next_at').where('key', '=', p.key),
)

export function* loadRate(session: SqlSession, key: string): Operation<number | undefined> {
  return (yield* session.all(selectRate, { key }))[0]?.next_at
}

const upsertRate = prepare((db, p: Named<{ key: string; next_at: number }>) =>
  db
    .insertInto('rates')
    .values({ key: p.key, next_at: p.next_at })
    .onConflict(oc => oc.column('key').doUpdateSet({ next_at: p.next_at })),
)

export function* saveRate(session: SqlSession, key: string, nextMs: number): Operation<void> {
  yield* session.send(upsertRate, { key, next_at: nextMs })
}

const deleteSpent = prepare((db, p: Named<{ before: number }>, { forDelete }) =>
  db
    .deleteFrom('rates')
    .where('key', 'in', spent =>
      forDelete(spent.selectFrom('rates').select('rates.key').where('rates.next_at', '<', p.before)),
    ),
)

export function* deleteRates(session: SqlSession, before: number): Operation<void> {
  yield* session.send(deleteSpent, { before })
}
