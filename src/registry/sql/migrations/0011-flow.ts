import type { Migration } from '../migrations.ts'

/** Queues by key: what a process asks for, whose turn it waits for, the leases that count, and the rates. */
export const flow: Migration = {
  version: 11,
  name: 'flow',
  sqlite: execute =>
    execute(`
alter table processes add column flow text;
alter table processes add column priority integer;
alter table processes add column turn text;
alter table processes add column turn_since integer;
alter table processes add column turn_at integer;
create index processes_by_turn on processes (turn, priority, created_at, id) where turn is not null;

alter table leases add column place text;
create index leases_by_place on leases (place) where place is not null;

create table rates (
  key text not null primary key,
  next_at real not null
) strict;
create index rates_by_next_at on rates (next_at);
`),
  postgres: execute =>
    execute(`
alter table processes add column flow text collate "C";
alter table processes add column priority bigint;
alter table processes add column turn text collate "C";
alter table processes add column turn_since bigint;
alter table processes add column turn_at bigint;
create index processes_by_turn on processes (turn, priority, created_at, id) where turn is not null;

alter table leases add column place text collate "C";
create index leases_by_place on leases (place) where place is not null;

create table rates (
  key text collate "C" not null primary key,
  next_at double precision not null
);
create index rates_by_next_at on rates (next_at);
`),
}
