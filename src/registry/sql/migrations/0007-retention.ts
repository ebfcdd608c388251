import type { Migration } from '../migrations.ts'

/** Ended processes are found by age, and leave a tombstone; a wait says whom it depends on until it is over. */
export const retention: Migration = {
  version: 7,
  name: 'retention',
  sqlite: execute =>
    execute(`
create table tombstones (
  id text not null primary key,
  status text not null,
  pruned_at integer not null,
  fence integer not null,
  last_sequence integer not null,
  change_seq integer not null
) strict, without rowid;

create unique index tombstones_by_change on tombstones (change_seq);
create index tombstones_by_age on tombstones (pruned_at, id);
create index processes_by_end on processes (updated_at, id) where status <> 'running';

alter table waits add column awaited_process text;
update waits set awaited_process = "on" ->> '$.processId' where "on" ->> '$.type' in ('process', 'event');
create index waits_by_awaited_process on waits (awaited_process) where awaited_process is not null;
`),
  postgres: execute =>
    execute(`
create table tombstones (
  id text collate "C" not null primary key,
  status text collate "C" not null,
  pruned_at bigint not null,
  fence bigint not null,
  last_sequence bigint not null,
  change_seq bigint not null
);

create unique index tombstones_by_change on tombstones (change_seq, id);
create index tombstones_by_age on tombstones (pruned_at, id);
create index processes_by_end on processes (updated_at, id) where status <> 'running';

alter table waits add column awaited_process text collate "C";
update waits set awaited_process = "on"::json ->> 'processId' where "on"::json ->> 'type' in ('process', 'event');
create index waits_by_awaited_process on waits (awaited_process) where awaited_process is not null;
`),
}
