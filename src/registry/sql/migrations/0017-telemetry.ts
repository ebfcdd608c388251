import type { Migration } from '../migrations.ts'

/** The trace that a process belongs to, and the oldest of the open wakes. */
export const telemetry: Migration = {
  version: 17,
  name: 'telemetry',
  sqlite: execute =>
    execute(`
alter table processes add column traceparent text;
create index wakes_by_expiry on wakes (expires_at) where is_open is not null;
`),
  postgres: execute =>
    execute(`
alter table processes add column traceparent text collate "C";
create index wakes_by_expiry on wakes (expires_at) where is_open is not null;
`),
}
