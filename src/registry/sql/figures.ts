import type { LiveCounts } from '../../model/figures.ts'
import type { Operation } from '../store.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare } from './statement.ts'
import { STATUS } from './status.ts'

const selectLive = prepare(db =>
  db
    .selectFrom('processes')
    .select(({ fn, eb }) => [
      fn.countAll<number>().as('all'),
      fn.count<number>('silent_since').as('silent'),
      fn.count<number>('turn').as('queued'),
      fn
        .countAll<number>()
        .filterWhere(
          eb.and([eb('wait_count', '>', 0), eb('silent_since', 'is', null), eb('turn', 'is', null)]),
        )
        .as('waiting'),
    ])
    .where('status', '=', STATUS.running),
)

export function* countLive(session: SqlSession): Operation<LiveCounts> {
  const [row] = yield* session.all(selectLive, {})
  const { all = 0, silent = 0, queued = 0, waiting = 0 } = row ?? {}
  return { active: all - silent - queued - waiting, waiting, queued, silent }
}

// The bound is below all of them: with one SQLite begins at the first, without it would read on.
const selectExpiry = prepare((db, p: Named<{ after: number }>) =>
  db
    .selectFrom('wakes')
    .select('expires_at')
    .where('is_open', 'is not', null)
    .where('expires_at', '>', p.after)
    .orderBy('expires_at')
    .limit(1),
)

export function* earliestWakeExpiry(session: SqlSession): Operation<number | undefined> {
  return (yield* session.all(selectExpiry, { after: 0 }))[0]?.expires_at
}
