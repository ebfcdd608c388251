import type { Migration } from '../migrations.ts'

/** Events keep what they meant, wakes are acknowledged, events of a type are counted. */
export const eventSemantics: Migration = {
  version: 3,
  name: 'event-semantics',
  sqlite: execute =>
    execute(`
alter table events add column semantics text;
alter table events add column unacked_wake integer;

create index events_by_type on events (process_id, event_type, sequence);
create index events_by_unacked_wake on events (process_id, sequence) where unacked_wake is not null;
`),
  postgres: execute =>
    execute(`
alter table events add column semantics text collate "C";
alter table events add column unacked_wake bigint;

create index events_by_type on events (process_id, event_type, sequence);
create index events_by_unacked_wake on events (process_id, sequence) where unacked_wake is not null;
`),
}
