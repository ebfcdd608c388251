import type { Migration } from '../migrations.ts'

export const initial: Migration = {
  version: 1,
  name: 'initial',
  sqlite: execute =>
    execute(`
create table meta (
  singleton integer not null primary key check (singleton = 1),
  schema_version integer not null,
  registry_id text not null,
  change_seq integer not null
) strict;

insert into meta values (1, 0, lower(hex(randomblob(16))), 0);

create table processes (
  id text not null primary key,
  kind text not null,
  label text,
  disposition text not null,
  input text not null,
  event_types text not null,
  provenance text not null,
  env_ref text,
  wake_target text,
  max_attempts integer,
  registration_hash text not null,
  incarnation text not null,
  created_at integer not null,
  updated_at integer not null,
  status text not null,
  outcome text,
  external_ref text,
  first_started text,
  cancel_request text,
  abandon_request text,
  wait_count integer not null,
  silent_since integer,
  attempts integer not null,
  last_sequence integer not null,
  change_seq integer not null,
  due_at integer,
  submissions integer not null,
  failures integer not null,
  attempts_spent integer not null,
  is_attempt_open integer not null,
  is_run_waiting integer not null,
  epoch integer not null
) strict;

create unique index processes_by_change on processes (change_seq);
create index processes_by_status on processes (status, id);
create index processes_by_due on processes (due_at, id) where due_at is not null;

create table waits (
  process_id text not null references processes (id) on delete cascade,
  key text not null,
  position integer not null,
  since integer not null,
  until integer,
  "on" text not null,
  primary key (process_id, key)
) strict, without rowid;

-- No reference to processes: ids that begin with "#" are leases of the registry itself.
create table leases (
  process_id text not null primary key,
  fence integer not null,
  owner text,
  token text,
  claimed_at integer,
  expires_at integer,
  worker_incarnation text,
  backend_token text,
  death_proof text,
  dead_host_id text
) strict, without rowid;

create index leases_by_worker on leases (worker_incarnation, process_id) where worker_incarnation is not null;
create index leases_by_dead_host on leases (dead_host_id, process_id) where dead_host_id is not null;

create table events (
  process_id text not null references processes (id) on delete cascade,
  sequence integer not null,
  event_type text not null,
  payload text not null,
  session_id text not null,
  caused_by text not null,
  replay_key text,
  payload_hash text not null,
  occurred_at integer not null,
  primary key (process_id, sequence)
) strict;

create unique index events_by_replay_key on events (process_id, replay_key) where replay_key is not null;

create table journal (
  process_id text not null references processes (id) on delete cascade,
  epoch integer not null,
  address text not null,
  position integer not null,
  kind text not null,
  effect text not null,
  digest text not null,
  status text not null,
  operation_id text not null,
  value text,
  failure text,
  attempt text not null,
  fence integer not null,
  claimed_by text,
  start_by integer,
  started_at integer not null,
  ended_at integer,
  resolved_by text,
  primary key (process_id, epoch, address)
) strict, without rowid;

create table workers (
  incarnation_id text not null primary key,
  host_id text,
  worker text not null,
  started_at integer not null,
  last_seen integer not null
) strict, without rowid;

create index workers_by_host on workers (host_id, incarnation_id) where host_id is not null;

create table envs (
  ref text not null primary key,
  bytes blob not null
) strict;
`),
  // Keys compare by their bytes, as everywhere else, whatever the database's own order is. JSON is kept as text: jsonb
  // would refuse what a payload may hold (an escaped NUL), and give back another text than the one that was hashed.
  postgres: execute =>
    execute(`
create table meta (
  singleton bigint not null primary key check (singleton = 1),
  schema_version bigint not null,
  registry_id text not null,
  home text not null,
  restores bigint not null
);

insert into meta values (1, 0, replace(gen_random_uuid()::text, '-', ''), '', 0);

create table processes (
  id text collate "C" not null primary key,
  kind text not null,
  label text,
  disposition text not null,
  input text not null,
  event_types text not null,
  provenance text not null,
  env_ref text,
  wake_target text,
  max_attempts bigint,
  registration_hash text not null,
  incarnation text not null,
  created_at bigint not null,
  updated_at bigint not null,
  status text collate "C" not null,
  outcome text,
  external_ref text,
  first_started text,
  cancel_request text,
  abandon_request text,
  wait_count bigint not null,
  silent_since bigint,
  attempts bigint not null,
  last_sequence bigint not null,
  change_seq bigint not null,
  due_at bigint,
  submissions bigint not null,
  failures bigint not null,
  attempts_spent bigint not null,
  is_attempt_open bigint not null,
  is_run_waiting bigint not null,
  epoch bigint not null
);

-- Several rows of one transaction have the same position.
create unique index processes_by_change on processes (change_seq, id);
create index processes_by_status on processes (status, id);
create index processes_by_due on processes (due_at, id) where due_at is not null;

create table waits (
  process_id text collate "C" not null references processes (id) on delete cascade,
  key text collate "C" not null,
  position bigint not null,
  since bigint not null,
  until bigint,
  "on" text not null,
  primary key (process_id, key)
);

-- No reference to processes: ids that begin with "#" are leases of the registry itself.
create table leases (
  process_id text collate "C" not null primary key,
  fence bigint not null,
  owner text,
  token text,
  claimed_at bigint,
  expires_at bigint,
  worker_incarnation text collate "C",
  backend_token text,
  death_proof text,
  dead_host_id text collate "C"
);

create index leases_by_worker on leases (worker_incarnation, process_id) where worker_incarnation is not null;
create index leases_by_dead_host on leases (dead_host_id, process_id) where dead_host_id is not null;

create table events (
  process_id text collate "C" not null references processes (id) on delete cascade,
  sequence bigint not null,
  event_type text not null,
  payload text not null,
  session_id text not null,
  caused_by text not null,
  replay_key text collate "C",
  payload_hash text not null,
  occurred_at bigint not null,
  primary key (process_id, sequence)
);

create unique index events_by_replay_key on events (process_id, replay_key) where replay_key is not null;

create table journal (
  process_id text collate "C" not null references processes (id) on delete cascade,
  epoch bigint not null,
  address text collate "C" not null,
  position bigint not null,
  kind text not null,
  effect text not null,
  digest text not null,
  status text collate "C" not null,
  operation_id text not null,
  value text,
  failure text,
  attempt text not null,
  fence bigint not null,
  claimed_by text,
  start_by bigint,
  started_at bigint not null,
  ended_at bigint,
  resolved_by text,
  primary key (process_id, epoch, address)
);

create table workers (
  incarnation_id text collate "C" not null primary key,
  host_id text collate "C",
  worker text not null,
  started_at bigint not null,
  last_seen bigint not null
);

create index workers_by_host on workers (host_id, incarnation_id) where host_id is not null;

create table envs (
  ref text collate "C" not null primary key,
  bytes bytea not null
);
`),
}
