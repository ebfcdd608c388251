import type { Migration } from '../migrations.ts'

/** What processes may spend, and have spent. */
export const budgets: Migration = {
  version: 16,
  name: 'budgets',
  sqlite: execute =>
    execute(`
create table budgets (
  process_id text not null primary key references processes (id) on delete cascade,
  ledger text not null
) strict, without rowid;
`),
  postgres: execute =>
    execute(`
create table budgets (
  process_id text collate "C" not null primary key references processes (id) on delete cascade,
  ledger text not null
);
`),
}
