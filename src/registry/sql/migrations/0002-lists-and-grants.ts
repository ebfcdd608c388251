import type { Migration } from '../migrations.ts'

export const listsAndGrants: Migration = {
  version: 2,
  name: 'lists and grants',
  sqlite: execute =>
    execute(`
alter table processes add column definition text;
-- The four below repeat parts of provenance and wake_target, for the indexes.
alter table processes add column originator_scope text not null default 'host';
alter table processes add column occurrence_id text;
alter table processes add column subscription_id text;
alter table processes add column wake_session text;

update processes set
  originator_scope = case
    when provenance ->> '$.originator.type' = 'session' then
      'session:' || (provenance ->> '$.originator.scope.sessionId')
        || coalesce('/frame:' || nullif(provenance ->> '$.originator.scope.agentFrameId', ''), '')
    else 'host' || coalesce(':' || nullif(provenance ->> '$.originator.scope', ''), '')
  end,
  wake_session = wake_target ->> '$.sessionId';

create index processes_by_originator on processes (originator_scope, id);
create index processes_by_occurrence on processes (occurrence_id, id) where occurrence_id is not null;
create index processes_by_subscription on processes (subscription_id, id) where subscription_id is not null;
create index processes_by_wake_session on processes (wake_session, id) where wake_session is not null;

create table grants (
  scope_id text not null,
  process_id text not null references processes (id) on delete cascade,
  session_id text not null,
  kind text,
  label text,
  primary key (scope_id, process_id)
) strict, without rowid;

create index grants_by_process on grants (process_id, session_id, scope_id);
create index grants_by_session on grants (session_id, process_id);
`),
  // The first version knew no PostgreSQL, so there are no rows to fill in.
  postgres: execute =>
    execute(`
alter table processes add column definition text;
alter table processes add column originator_scope text collate "C" not null default 'host';
alter table processes add column occurrence_id text collate "C";
alter table processes add column subscription_id text collate "C";
alter table processes add column wake_session text collate "C";

create index processes_by_originator on processes (originator_scope, id);
create index processes_by_occurrence on processes (occurrence_id, id) where occurrence_id is not null;
create index processes_by_subscription on processes (subscription_id, id) where subscription_id is not null;
create index processes_by_wake_session on processes (wake_session, id) where wake_session is not null;

create table grants (
  scope_id text collate "C" not null,
  process_id text collate "C" not null references processes (id) on delete cascade,
  session_id text collate "C" not null,
  kind text,
  label text,
  primary key (scope_id, process_id)
);

create index grants_by_process on grants (process_id, session_id, scope_id);
create index grants_by_session on grants (session_id, process_id);
`),
}
