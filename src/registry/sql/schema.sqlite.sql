CREATE TABLE blobs (
  hash text not null primary key,
  -- Before the text, so that it is read without it.
  size integer not null,
  text text not null
) strict;

CREATE TABLE budgets (
  process_id text not null primary key references processes (id) on delete cascade,
  ledger text not null
) strict, without rowid;

CREATE TABLE drains (
  worker_incarnation text not null primary key,
  worker text not null,
  requested_by text not null,
  requested_at integer not null,
  report text
) strict;

CREATE TABLE envs (
  ref text not null primary key,
  bytes blob not null
) strict;

CREATE TABLE events (
  process_id text not null references processes (id) on delete cascade,
  sequence integer not null,
  event_type text not null,
  payload text not null,
  session_id text not null,
  caused_by text not null,
  replay_key text,
  payload_hash text not null,
  occurred_at integer not null, semantics text, unacked_wake integer, unconsumed_signal integer,
  primary key (process_id, sequence)
) strict;

CREATE UNIQUE INDEX events_by_replay_key on events (process_id, replay_key) where replay_key is not null;

CREATE INDEX events_by_type on events (process_id, event_type, sequence);

CREATE INDEX events_by_unacked_wake on events (process_id, sequence) where unacked_wake is not null;

CREATE INDEX events_by_unconsumed_signal on events (process_id, event_type, sequence)
  where unconsumed_signal is not null;

CREATE TABLE grants (
  scope_id text not null,
  process_id text not null references processes (id) on delete cascade,
  session_id text not null,
  kind text,
  label text,
  primary key (scope_id, process_id)
) strict, without rowid;

CREATE INDEX grants_by_process on grants (process_id, session_id, scope_id);

CREATE INDEX grants_by_session on grants (session_id, process_id);

CREATE TABLE journal (
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
  is_told integer, resolution text,
  primary key (process_id, epoch, address)
) strict, without rowid;

CREATE INDEX journal_by_once on journal (process_id, epoch, position) where effect = 'once';

CREATE TABLE journal_blobs (
  process_id text not null,
  epoch integer not null,
  address text not null,
  hash text not null references blobs (hash),
  primary key (process_id, epoch, address, hash),
  foreign key (process_id, epoch, address) references journal (process_id, epoch, address) on delete cascade
) strict, without rowid;

CREATE INDEX journal_blobs_by_hash on journal_blobs (hash);

CREATE TABLE leases (
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
, place text) strict, without rowid;

CREATE INDEX leases_by_dead_host on leases (dead_host_id, process_id) where dead_host_id is not null;

CREATE INDEX leases_by_place on leases (place) where place is not null;

CREATE INDEX leases_by_worker on leases (worker_incarnation, process_id) where worker_incarnation is not null;

CREATE TABLE meta (
  singleton integer not null primary key check (singleton = 1),
  schema_version integer not null,
  registry_id text not null,
  change_seq integer not null
) strict;

CREATE TABLE pending_calls (
  key text not null primary key,
  process_id text not null references processes (id) on delete cascade,
  opened_at integer not null,
  until integer,
  answer text,
  answered_at integer
, approval text) strict, without rowid;

CREATE INDEX pending_calls_by_approval on pending_calls (opened_at, key) where approval is not null and answer is null;

CREATE INDEX pending_calls_by_process on pending_calls (process_id, key);

CREATE TABLE process_blobs (
  process_id text not null references processes (id) on delete cascade,
  hash text not null references blobs (hash),
  primary key (process_id, hash)
) strict, without rowid;

CREATE INDEX process_blobs_by_hash on process_blobs (hash);

CREATE TABLE processes (
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
, definition text, originator_scope text not null default 'host', occurrence_id text, subscription_id text, wake_session text, flow text, priority integer, turn text, turn_since integer, turn_at integer, traceparent text) strict;

CREATE UNIQUE INDEX processes_by_change on processes (change_seq);

CREATE INDEX processes_by_due on processes (due_at, id) where due_at is not null;

CREATE INDEX processes_by_end on processes (updated_at, id) where status <> 'running';

CREATE INDEX processes_by_occurrence on processes (occurrence_id, id) where occurrence_id is not null;

CREATE INDEX processes_by_originator on processes (originator_scope, id);

CREATE INDEX processes_by_status on processes (status, id);

CREATE INDEX processes_by_subscription on processes (subscription_id, id) where subscription_id is not null;

CREATE INDEX processes_by_turn on processes (turn, priority, created_at, id) where turn is not null;

CREATE INDEX processes_by_wake_session on processes (wake_session, id) where wake_session is not null;

CREATE TABLE rates (
  key text not null primary key,
  next_at real not null
) strict;

CREATE INDEX rates_by_next_at on rates (next_at);

CREATE TABLE session_blobs (
  session_id text not null references sessions (session_id) on delete cascade,
  hash text not null references blobs (hash),
  primary key (session_id, hash)
) strict, without rowid;

CREATE INDEX session_blobs_by_hash on session_blobs (hash);

CREATE TABLE session_entries (
  session_id text not null references sessions (session_id) on delete cascade,
  position integer not null,
  turn_id text not null,
  kind text not null,
  message text not null,
  appended_at integer not null,
  primary key (session_id, position)
) strict;

CREATE INDEX session_entries_by_summary on session_entries (session_id, position) where kind = 'summary';

CREATE TABLE session_tombstones (
  session_id text not null primary key,
  deleted_at integer not null
) strict, without rowid;

CREATE INDEX session_tombstones_by_age on session_tombstones (deleted_at);

CREATE TABLE sessions (
  session_id text not null primary key,
  policy text not null,
  plugin_options text not null,
  caused_by text,
  open_for text,
  last_position integer not null,
  version integer not null,
  created_at integer not null,
  updated_at integer not null
, closed_at integer) strict;

CREATE TABLE "stream_rows" (
  process_id text not null references processes (id) on delete cascade,
  channel text not null,
  to_offset integer not null,
  from_offset integer not null,
  epoch integer not null,
  attempt integer not null,
  fence integer not null,
  step text,
  content text not null,
  written_at integer not null,
  primary key (process_id, channel, to_offset)
) strict;

CREATE INDEX stream_rows_of_steps on stream_rows (process_id, epoch, attempt, channel, to_offset) where step is not null;

CREATE INDEX stream_rows_outside on stream_rows (process_id, epoch, channel, to_offset) where step is null;

CREATE TABLE tombstones (
  id text not null primary key,
  status text not null,
  pruned_at integer not null,
  fence integer not null,
  last_sequence integer not null,
  change_seq integer not null
) strict, without rowid;

CREATE INDEX tombstones_by_age on tombstones (pruned_at, id);

CREATE UNIQUE INDEX tombstones_by_change on tombstones (change_seq);

CREATE TABLE trigger_deliveries (
  process_id text not null primary key,
  occurrence_id text not null references trigger_occurrences (occurrence_id) on delete cascade,
  trigger_id text not null,
  ordered text not null,
  status text not null,
  due_at integer,
  failures integer not null,
  reason text,
  reserved_at integer not null,
  version integer not null
) strict;

CREATE INDEX trigger_deliveries_by_due on trigger_deliveries (due_at, process_id) where due_at is not null;

CREATE INDEX trigger_deliveries_by_occurrence on trigger_deliveries (occurrence_id, trigger_id);

CREATE TABLE trigger_occurrences (
  occurrence_id text not null primary key,
  source text not null,
  payload text not null,
  occurred_at integer not null
) strict;

CREATE INDEX trigger_occurrences_by_age on trigger_occurrences (occurred_at);

CREATE TABLE triggers (
  trigger_id text not null primary key,
  incarnation text not null,
  revision integer not null,
  version integer not null,
  source text not null,
  start text not null,
  is_paused integer not null,
  listens_to text,
  next_at integer,
  created_at integer not null,
  updated_at integer not null
) strict;

CREATE INDEX triggers_by_due on triggers (next_at, trigger_id) where next_at is not null;

CREATE INDEX triggers_by_event on triggers (listens_to, trigger_id) where listens_to is not null;

CREATE TABLE waiting_turns (
  session_id text not null references sessions (session_id) on delete cascade,
  position integer not null,
  turn_id text not null,
  primary key (session_id, position)
) strict, without rowid;

CREATE TABLE waits (
  process_id text not null references processes (id) on delete cascade,
  key text not null,
  position integer not null,
  since integer not null,
  until integer,
  "on" text not null, awaited text, satisfied_at integer, awaited_process text,
  primary key (process_id, key)
) strict, without rowid;

CREATE INDEX waits_by_awaited on waits (awaited, process_id) where awaited is not null;

CREATE INDEX waits_by_awaited_process on waits (awaited_process) where awaited_process is not null;

CREATE TABLE wakes (
  wake_id text not null primary key,
  target_session text not null,
  process_id text not null references processes (id) on delete cascade,
  sequence integer not null,
  delivery text not null,
  status text not null,
  version integer not null,
  attempts integer not null,
  due_at integer,
  expires_at integer not null,
  claim_token text,
  discard_reason text,
  discarded_at integer,
  is_open integer,
  is_blocking integer
, claimed_by text) strict;

CREATE INDEX wakes_by_block on wakes (wake_id) where is_blocking is not null;

CREATE INDEX wakes_by_claimer on wakes (claimed_by, wake_id) where claimed_by is not null;

CREATE INDEX wakes_by_due on wakes (due_at, wake_id) where due_at is not null;

CREATE INDEX wakes_by_expiry on wakes (expires_at) where is_open is not null;

CREATE INDEX wakes_by_group on wakes (target_session, process_id, sequence, wake_id) where is_open is not null;

CREATE INDEX wakes_by_process on wakes (process_id, sequence, wake_id);

CREATE TABLE workers (
  incarnation_id text not null primary key,
  host_id text,
  worker text not null,
  started_at integer not null,
  last_seen integer not null
) strict, without rowid;

CREATE INDEX workers_by_host on workers (host_id, incarnation_id) where host_id is not null;
