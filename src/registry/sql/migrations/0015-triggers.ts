import type { Migration } from '../migrations.ts'

/** Standing orders, what occurred, and what each occurrence is to start. */
export const triggers: Migration = {
  version: 15,
  name: 'triggers',
  sqlite: execute =>
    execute(`
create table triggers (
  trigger_id text not null primary key,
  incarnation text not null,
  revision integer not null,
  version integer not null,
  source text not null,
  start text not null,
  is_paused integer not null,
  listens_to text,
  next_at integer,
  created_at integer not null,
  updated_at integer not null
) strict;

create index triggers_by_event on triggers (listens_to, trigger_id) where listens_to is not null;
create index triggers_by_due on triggers (next_at, trigger_id) where next_at is not null;

create table trigger_occurrences (
  occurrence_id text not null primary key,
  source text not null,
  payload text not null,
  occurred_at integer not null
) strict;

create index trigger_occurrences_by_age on trigger_occurrences (occurred_at);

create table trigger_deliveries (
  process_id text not null primary key,
  occurrence_id text not null references trigger_occurrences (occurrence_id) on delete cascade,
  trigger_id text not null,
  ordered text not null,
  status text not null,
  due_at integer,
  failures integer not null,
  reason text,
  reserved_at integer not null,
  version integer not null
) strict;

create index trigger_deliveries_by_occurrence on trigger_deliveries (occurrence_id, trigger_id);
create index trigger_deliveries_by_due on trigger_deliveries (due_at, process_id) where due_at is not null;
`),
  postgres: execute =>
    execute(`
create table triggers (
  trigger_id text collate "C" not null primary key,
  incarnation text collate "C" not null,
  revision bigint not null,
  version bigint not null,
  source text not null,
  start text not null,
  is_paused bigint not null,
  listens_to text collate "C",
  next_at bigint,
  created_at bigint not null,
  updated_at bigint not null
);

create index triggers_by_event on triggers (listens_to, trigger_id) where listens_to is not null;
create index triggers_by_due on triggers (next_at, trigger_id) where next_at is not null;

create table trigger_occurrences (
  occurrence_id text collate "C" not null primary key,
  source text not null,
  payload text not null,
  occurred_at bigint not null
);

create index trigger_occurrences_by_age on trigger_occurrences (occurred_at);

create table trigger_deliveries (
  process_id text collate "C" not null primary key,
  occurrence_id text collate "C" not null references trigger_occurrences (occurrence_id) on delete cascade,
  trigger_id text collate "C" not null,
  ordered text not null,
  status text not null,
  due_at bigint,
  failures bigint not null,
  reason text,
  reserved_at bigint not null,
  version bigint not null
);

create index trigger_deliveries_by_occurrence on trigger_deliveries (occurrence_id, trigger_id);
create index trigger_deliveries_by_due on trigger_deliveries (due_at, process_id) where due_at is not null;
`),
}
