import type { Migration } from '../migrations.ts'

/**
 * An index of the live rows alone. By that of all statuses PostgreSQL takes a page of them for dearer than it is, since they
 * may lie anywhere, and reads the primary key instead: nine ended rows for each live one.
 */
export const liveIndex: Migration = {
  version: 21,
  name: 'live index',
  // SQLite reads those of a status by that status's part of the index.
  sqlite: () => {},
  postgres: execute =>
    execute(`
drop index processes_by_status;
create index processes_live on processes (id) where status = 'running';
create index processes_by_status on processes (status, id) where status <> 'running';
`),
}
