import type { Migration } from '../migrations.ts'

/** Whose claim a wake is in, so that a proof of their death frees it. */
export const claimsOfWakes: Migration = {
  version: 18,
  name: 'claims of wakes',
  sqlite: execute =>
    execute(`
alter table wakes add column claimed_by text;
create index wakes_by_claimer on wakes (claimed_by, wake_id) where claimed_by is not null;
`),
  postgres: execute =>
    execute(`
alter table wakes add column claimed_by text collate "C";
create index wakes_by_claimer on wakes (claimed_by, wake_id) where claimed_by is not null;
`),
}
