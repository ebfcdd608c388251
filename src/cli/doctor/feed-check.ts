import type { ProcessRegistry } from '../../registry/registry.ts'
import type { HeldBack } from '../../registry/store.ts'
import { formatDuration } from '../time-text.ts'
import { type Check, ok, warn } from './check.ts'

/** Does the change feed show what is committed? Only a server with many databases lets others keep it from that. */
export async function checkFeed(registry: ProcessRegistry): Promise<Check> {
  const { heldBackBy } = await registry.changesSince(await registry.latestChange(), 100)
  if (heldBackBy === undefined) return ok('feed', 'shows every change that is committed')
  const { kind, id, database, forMs } = heldBackBy
  const where = database === '' ? '' : ` in database ${database}`
  const what = kind === 'transaction' ? `a transaction of session ${id}` : `the prepared transaction "${id}"`
  return warn(
    'feed',
    `held back by ${what}${where}, open for ${formatDuration(forMs)}; waiters and workers do not notice, readers of the feed are late`,
    adviceFor(heldBackBy),
  )
}

function adviceFor({ kind, id, database }: HeldBack): string {
  return kind === 'transaction'
    ? `End it where it runs, or: select pg_terminate_backend(${id})`
    : `In database ${database}: commit prepared or rollback prepared '${id.replaceAll("'", "''")}'`
}
