import type { Migration } from '../migrations.ts'

/** What the code was told of a step, and who said what became of it; the ledger reads the once steps alone. */
export const effects: Migration = {
  version: 10,
  name: 'effects',
  sqlite: execute =>
    execute(`
alter table journal add column is_told integer;
alter table journal add column resolution text;
update journal
  set resolution = json_object('kind', 'reconcile', 'answer', 'done', 'atMs', coalesce(ended_at, started_at))
  where resolved_by is not null;
alter table journal drop column resolved_by;

create index journal_by_once on journal (process_id, epoch, position) where effect = 'once';
`),
  postgres: execute =>
    execute(`
alter table journal add column is_told bigint;
alter table journal add column resolution text;
update journal
  set resolution = json_build_object('kind', 'reconcile', 'answer', 'done', 'atMs', coalesce(ended_at, started_at))
  where resolved_by is not null;
alter table journal drop column resolved_by;

create index journal_by_once on journal (process_id, epoch, position) where effect = 'once';
`),
}
