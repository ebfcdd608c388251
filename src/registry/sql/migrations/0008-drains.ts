import type { Migration } from '../migrations.ts'

/** Requests to workers that they stop in order, and what they report. */
export const drains: Migration = {
  version: 8,
  name: 'drains',
  sqlite: execute =>
    execute(`
create table drains (
  worker_incarnation text not null primary key,
  worker text not null,
  requested_by text not null,
  requested_at integer not null,
  report text
) strict;
`),
  postgres: execute =>
    execute(`
create table drains (
  worker_incarnation text collate "C" not null primary key,
  worker text collate "C" not null,
  requested_by text collate "C" not null,
  requested_at bigint not null,
  report text collate "C"
);
`),
}
