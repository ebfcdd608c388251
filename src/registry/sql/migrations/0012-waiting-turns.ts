import type { Migration } from '../migrations.ts'

/** Turns that wait for their session, and what is left of sessions that were deleted. */
export const waitingTurns: Migration = {
  version: 12,
  name: 'waiting turns',
  sqlite: execute =>
    execute(`
create table waiting_turns (
  session_id text not null references sessions (session_id) on delete cascade,
  position integer not null,
  turn_id text not null,
  primary key (session_id, position)
) strict, without rowid;

create table session_tombstones (
  session_id text not null primary key,
  deleted_at integer not null
) strict, without rowid;

create index session_tombstones_by_age on session_tombstones (deleted_at);
`),
  postgres: execute =>
    execute(`
create table waiting_turns (
  session_id text collate "C" not null references sessions (session_id) on delete cascade,
  position bigint not null,
  turn_id text collate "C" not null,
  primary key (session_id, position)
);

create table session_tombstones (
  session_id text collate "C" not null primary key,
  deleted_at bigint not null
);

create index session_tombstones_by_age on session_tombstones (deleted_at);
`),
}
