import type { Migration } from '../migrations.ts'

/** Sessions that take nothing new. */
export const closedSessions: Migration = {
  version: 20,
  name: 'closed sessions',
  sqlite: execute => execute('alter table sessions add column closed_at integer;'),
  postgres: execute => execute('alter table sessions add column closed_at bigint;'),
}
