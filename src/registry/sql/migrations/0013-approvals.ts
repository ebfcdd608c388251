import type { Migration } from '../migrations.ts'

/** Pending calls that people answer by their votes. */
export const approvals: Migration = {
  version: 13,
  name: 'approvals',
  sqlite: execute =>
    execute(`
alter table pending_calls add column approval text;

create index pending_calls_by_approval on pending_calls (opened_at, key) where approval is not null and answer is null;
`),
  postgres: execute =>
    execute(`
alter table pending_calls add column approval text;

create index pending_calls_by_approval on pending_calls (opened_at, key) where approval is not null and answer is null;
`),
}
