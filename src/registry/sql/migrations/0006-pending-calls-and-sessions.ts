import type { Migration } from '../migrations.ts'

/** Tool calls that are answered later, and what was said in sessions. */
export const pendingCallsAndSessions: Migration = {
  version: 6,
  name: 'pending calls and sessions',
  sqlite: execute =>
    execute(`
create table pending_calls (
  key text not null primary key,
  process_id text not null references processes (id) on delete cascade,
  opened_at integer not null,
  until integer,
  answer text,
  answered_at integer
) strict, without rowid;

create index pending_calls_by_process on pending_calls (process_id, key);

create table sessions (
  session_id text not null primary key,
  policy text not null,
  plugin_options text not null,
  caused_by text,
  open_for text,
  last_position integer not null,
  version integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;

create table session_entries (
  session_id text not null references sessions (session_id) on delete cascade,
  position integer not null,
  turn_id text not null,
  kind text not null,
  message text not null,
  appended_at integer not null,
  primary key (session_id, position)
) strict;

create index session_entries_by_summary on session_entries (session_id, position) where kind = 'summary';
`),
  postgres: execute =>
    execute(`
create table pending_calls (
  key text collate "C" not null primary key,
  process_id text collate "C" not null references processes (id) on delete cascade,
  opened_at bigint not null,
  until bigint,
  answer text,
  answered_at bigint
);

create index pending_calls_by_process on pending_calls (process_id, key);

create table sessions (
  session_id text collate "C" not null primary key,
  policy text not null,
  plugin_options text not null,
  caused_by text,
  open_for text,
  last_position bigint not null,
  version bigint not null,
  created_at bigint not null,
  updated_at bigint not null
);

create table session_entries (
  session_id text collate "C" not null references sessions (session_id) on delete cascade,
  position bigint not null,
  turn_id text not null,
  kind text not null,
  message text not null,
  appended_at bigint not null,
  primary key (session_id, position)
);

create index session_entries_by_summary on session_entries (session_id, position) where kind = 'summary';
`),
}
