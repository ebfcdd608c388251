import type { Migration } from '../migrations.ts'

/** What processes say while they work. The key ends with where a row ends: a reader's offset leads straight to its row. */
export const streams: Migration = {
  version: 14,
  name: 'streams',
  sqlite: execute =>
    execute(`
create table stream_rows (
  process_id text not null references processes (id) on delete cascade,
  channel text not null,
  to_offset integer not null,
  from_offset integer not null,
  epoch integer not null,
  attempt integer not null,
  fence integer not null,
  content text not null,
  written_at integer not null,
  primary key (process_id, channel, to_offset)
) strict;
`),
  postgres: execute =>
    execute(`
create table stream_rows (
  process_id text collate "C" not null references processes (id) on delete cascade,
  channel text collate "C" not null,
  to_offset bigint not null,
  from_offset bigint not null,
  epoch bigint not null,
  attempt bigint not null,
  fence bigint not null,
  content text not null,
  written_at bigint not null,
  primary key (process_id, channel, to_offset)
);
`),
}
