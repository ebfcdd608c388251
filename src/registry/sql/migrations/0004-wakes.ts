import type { Migration } from '../migrations.ts'

/** The outbox of wakes. */
export const wakes: Migration = {
  version: 4,
  name: 'wakes',
  sqlite: execute =>
    execute(`
create table wakes (
  wake_id text not null primary key,
  target_session text not null,
  process_id text not null references processes (id) on delete cascade,
  sequence integer not null,
  delivery text not null,
  status text not null,
  version integer not null,
  attempts integer not null,
  due_at integer,
  expires_at integer not null,
  claim_token text,
  discard_reason text,
  discarded_at integer,
  is_open integer,
  is_blocking integer
) strict;

create index wakes_by_process on wakes (process_id, sequence, wake_id);
create index wakes_by_group on wakes (target_session, process_id, sequence, wake_id) where is_open is not null;
create index wakes_by_due on wakes (due_at, wake_id) where due_at is not null;
create index wakes_by_block on wakes (wake_id) where is_blocking is not null;
`),
  postgres: execute =>
    execute(`
create table wakes (
  wake_id text collate "C" not null primary key,
  target_session text collate "C" not null,
  process_id text collate "C" not null references processes (id) on delete cascade,
  sequence bigint not null,
  delivery text collate "C" not null,
  status text collate "C" not null,
  version bigint not null,
  attempts bigint not null,
  due_at bigint,
  expires_at bigint not null,
  claim_token text collate "C",
  discard_reason text collate "C",
  discarded_at bigint,
  is_open bigint,
  is_blocking bigint
);

create index wakes_by_process on wakes (process_id, sequence, wake_id);
create index wakes_by_group on wakes (target_session, process_id, sequence, wake_id) where is_open is not null;
create index wakes_by_due on wakes (due_at, wake_id) where due_at is not null;
create index wakes_by_block on wakes (wake_id) where is_blocking is not null;
`),
}
