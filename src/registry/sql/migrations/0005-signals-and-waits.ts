import type { Migration } from '../migrations.ts'

/** Signals are consumed one by one, and waits are found by what they are for. */
export const signalsAndWaits: Migration = {
  version: 5,
  name: 'signals and waits',
  sqlite: execute =>
    execute(`
alter table events add column unconsumed_signal integer;
alter table waits add column awaited text;
alter table waits add column satisfied_at integer;

create index events_by_unconsumed_signal on events (process_id, event_type, sequence)
  where unconsumed_signal is not null;
create index waits_by_awaited on waits (awaited, process_id) where awaited is not null;
`),
  postgres: execute =>
    execute(`
alter table events add column unconsumed_signal bigint;
alter table waits add column awaited text collate "C";
alter table waits add column satisfied_at bigint;

create index events_by_unconsumed_signal on events (process_id, event_type, sequence)
  where unconsumed_signal is not null;
create index waits_by_awaited on waits (awaited, process_id) where awaited is not null;
`),
}
