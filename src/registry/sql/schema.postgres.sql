CREATE TABLE blobs (
  hash text collate "C" not null,
  size bigint not null,
  text text collate "C" not null,
  PRIMARY KEY (hash)
);

CREATE TABLE budgets (
  process_id text collate "C" not null,
  ledger text not null,
  PRIMARY KEY (process_id),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);

CREATE TABLE drains (
  worker_incarnation text collate "C" not null,
  worker text collate "C" not null,
  requested_by text collate "C" not null,
  requested_at bigint not null,
  report text collate "C",
  PRIMARY KEY (worker_incarnation)
);

CREATE TABLE envs (
  ref text collate "C" not null,
  bytes bytea not null,
  PRIMARY KEY (ref)
);

CREATE TABLE events (
  process_id text collate "C" not null,
  sequence bigint not null,
  event_type text not null,
  payload text not null,
  session_id text not null,
  caused_by text not null,
  replay_key text collate "C",
  payload_hash text not null,
  occurred_at bigint not null,
  semantics text collate "C",
  unacked_wake bigint,
  unconsumed_signal bigint,
  PRIMARY KEY (process_id, sequence),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX events_by_replay_key ON events USING btree (process_id, replay_key) WHERE (replay_key IS NOT NULL);
CREATE INDEX events_by_type ON events USING btree (process_id, event_type, sequence);
CREATE INDEX events_by_unacked_wake ON events USING btree (process_id, sequence) WHERE (unacked_wake IS NOT NULL);
CREATE INDEX events_by_unconsumed_signal ON events USING btree (process_id, event_type, sequence) WHERE (unconsumed_signal IS NOT NULL);

CREATE TABLE grants (
  scope_id text collate "C" not null,
  process_id text collate "C" not null,
  session_id text collate "C" not null,
  kind text,
  label text,
  PRIMARY KEY (scope_id, process_id),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);
CREATE INDEX grants_by_process ON grants USING btree (process_id, session_id, scope_id);
CREATE INDEX grants_by_session ON grants USING btree (session_id, process_id);

CREATE TABLE journal (
  process_id text collate "C" not null,
  epoch bigint not null,
  address text collate "C" not null,
  "position" bigint not null,
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
  is_told bigint,
  resolution text,
  PRIMARY KEY (process_id, epoch, address),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);
CREATE INDEX journal_by_once ON journal USING btree (process_id, epoch, "position") WHERE (effect = 'once'::text);

CREATE TABLE journal_blobs (
  process_id text collate "C" not null,
  epoch bigint not null,
  address text collate "C" not null,
  hash text collate "C" not null,
  PRIMARY KEY (process_id, epoch, address, hash),
  FOREIGN KEY (hash) REFERENCES blobs(hash),
  FOREIGN KEY (process_id, epoch, address) REFERENCES journal(process_id, epoch, address) ON DELETE CASCADE
);
CREATE INDEX journal_blobs_by_hash ON journal_blobs USING btree (hash);

CREATE TABLE leases (
  process_id text collate "C" not null,
  fence bigint not null,
  owner text,
  token text,
  claimed_at bigint,
  expires_at bigint,
  worker_incarnation text collate "C",
  backend_token text,
  death_proof text,
  dead_host_id text collate "C",
  place text collate "C",
  PRIMARY KEY (process_id)
);
CREATE INDEX leases_by_dead_host ON leases USING btree (dead_host_id, process_id) WHERE (dead_host_id IS NOT NULL);
CREATE INDEX leases_by_place ON leases USING btree (place) WHERE (place IS NOT NULL);
CREATE INDEX leases_by_worker ON leases USING btree (worker_incarnation, process_id) WHERE (worker_incarnation IS NOT NULL);

CREATE TABLE meta (
  singleton bigint not null,
  schema_version bigint not null,
  registry_id text not null,
  home text not null,
  restores bigint not null,
  PRIMARY KEY (singleton),
  CHECK ((singleton = 1))
);

CREATE TABLE pending_calls (
  key text collate "C" not null,
  process_id text collate "C" not null,
  opened_at bigint not null,
  until bigint,
  answer text,
  answered_at bigint,
  approval text,
  PRIMARY KEY (key),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);
CREATE INDEX pending_calls_by_approval ON pending_calls USING btree (opened_at, key) WHERE ((approval IS NOT NULL) AND (answer IS NULL));
CREATE INDEX pending_calls_by_process ON pending_calls USING btree (process_id, key);

CREATE TABLE process_blobs (
  process_id text collate "C" not null,
  hash text collate "C" not null,
  PRIMARY KEY (process_id, hash),
  FOREIGN KEY (hash) REFERENCES blobs(hash),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);
CREATE INDEX process_blobs_by_hash ON process_blobs USING btree (hash);

CREATE TABLE processes (
  id text collate "C" not null,
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
  epoch bigint not null,
  definition text,
  originator_scope text collate "C" not null default 'host'::text,
  occurrence_id text collate "C",
  subscription_id text collate "C",
  wake_session text collate "C",
  flow text collate "C",
  priority bigint,
  turn text collate "C",
  turn_since bigint,
  turn_at bigint,
  traceparent text collate "C",
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX processes_by_change ON processes USING btree (change_seq, id);
CREATE INDEX processes_by_due ON processes USING btree (due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX processes_by_end ON processes USING btree (updated_at, id) WHERE (status <> 'running'::text);
CREATE INDEX processes_by_occurrence ON processes USING btree (occurrence_id, id) WHERE (occurrence_id IS NOT NULL);
CREATE INDEX processes_by_originator ON processes USING btree (originator_scope, id);
CREATE INDEX processes_by_status ON processes USING btree (status, id) WHERE (status <> 'running'::text);
CREATE INDEX processes_by_subscription ON processes USING btree (subscription_id, id) WHERE (subscription_id IS NOT NULL);
CREATE INDEX processes_by_turn ON processes USING btree (turn, priority, created_at, id) WHERE (turn IS NOT NULL);
CREATE INDEX processes_by_wake_session ON processes USING btree (wake_session, id) WHERE (wake_session IS NOT NULL);
CREATE INDEX processes_live ON processes USING btree (id) WHERE (status = 'running'::text);

CREATE TABLE rates (
  key text collate "C" not null,
  next_at double precision not null,
  PRIMARY KEY (key)
);
CREATE INDEX rates_by_next_at ON rates USING btree (next_at);

CREATE TABLE session_blobs (
  session_id text collate "C" not null,
  hash text collate "C" not null,
  PRIMARY KEY (session_id, hash),
  FOREIGN KEY (hash) REFERENCES blobs(hash),
  FOREIGN KEY (session_id) REFERENCES sessions(session_id) ON DELETE CASCADE
);
CREATE INDEX session_blobs_by_hash ON session_blobs USING btree (hash);

CREATE TABLE session_entries (
  session_id text collate "C" not null,
  "position" bigint not null,
  turn_id text not null,
  kind text not null,
  message text not null,
  appended_at bigint not null,
  PRIMARY KEY (session_id, "position"),
  FOREIGN KEY (session_id) REFERENCES sessions(session_id) ON DELETE CASCADE
);
CREATE INDEX session_entries_by_summary ON session_entries USING btree (session_id, "position") WHERE (kind = 'summary'::text);

CREATE TABLE session_tombstones (
  session_id text collate "C" not null,
  deleted_at bigint not null,
  PRIMARY KEY (session_id)
);
CREATE INDEX session_tombstones_by_age ON session_tombstones USING btree (deleted_at);

CREATE TABLE sessions (
  session_id text collate "C" not null,
  policy text not null,
  plugin_options text not null,
  caused_by text,
  open_for text,
  last_position bigint not null,
  version bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  closed_at bigint,
  PRIMARY KEY (session_id)
);

CREATE TABLE stream_rows (
  process_id text collate "C" not null,
  channel text collate "C" not null,
  to_offset bigint not null,
  from_offset bigint not null,
  epoch bigint not null,
  attempt bigint not null,
  fence bigint not null,
  content text not null,
  written_at bigint not null,
  step text collate "C",
  PRIMARY KEY (process_id, channel, to_offset),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);
CREATE INDEX stream_rows_of_steps ON stream_rows USING btree (process_id, epoch, attempt, channel, to_offset) WHERE (step IS NOT NULL);
CREATE INDEX stream_rows_outside ON stream_rows USING btree (process_id, epoch, channel, to_offset) WHERE (step IS NULL);

CREATE TABLE tombstones (
  id text collate "C" not null,
  status text collate "C" not null,
  pruned_at bigint not null,
  fence bigint not null,
  last_sequence bigint not null,
  change_seq bigint not null,
  PRIMARY KEY (id)
);
CREATE INDEX tombstones_by_age ON tombstones USING btree (pruned_at, id);
CREATE UNIQUE INDEX tombstones_by_change ON tombstones USING btree (change_seq, id);

CREATE TABLE trigger_deliveries (
  process_id text collate "C" not null,
  occurrence_id text collate "C" not null,
  trigger_id text collate "C" not null,
  ordered text not null,
  status text not null,
  due_at bigint,
  failures bigint not null,
  reason text,
  reserved_at bigint not null,
  version bigint not null,
  PRIMARY KEY (process_id),
  FOREIGN KEY (occurrence_id) REFERENCES trigger_occurrences(occurrence_id) ON DELETE CASCADE
);
CREATE INDEX trigger_deliveries_by_due ON trigger_deliveries USING btree (due_at, process_id) WHERE (due_at IS NOT NULL);
CREATE INDEX trigger_deliveries_by_occurrence ON trigger_deliveries USING btree (occurrence_id, trigger_id);

CREATE TABLE trigger_occurrences (
  occurrence_id text collate "C" not null,
  source text not null,
  payload text not null,
  occurred_at bigint not null,
  PRIMARY KEY (occurrence_id)
);
CREATE INDEX trigger_occurrences_by_age ON trigger_occurrences USING btree (occurred_at);

CREATE TABLE triggers (
  trigger_id text collate "C" not null,
  incarnation text collate "C" not null,
  revision bigint not null,
  version bigint not null,
  source text not null,
  start text not null,
  is_paused bigint not null,
  listens_to text collate "C",
  next_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  PRIMARY KEY (trigger_id)
);
CREATE INDEX triggers_by_due ON triggers USING btree (next_at, trigger_id) WHERE (next_at IS NOT NULL);
CREATE INDEX triggers_by_event ON triggers USING btree (listens_to, trigger_id) WHERE (listens_to IS NOT NULL);

CREATE TABLE waiting_turns (
  session_id text collate "C" not null,
  "position" bigint not null,
  turn_id text collate "C" not null,
  PRIMARY KEY (session_id, "position"),
  FOREIGN KEY (session_id) REFERENCES sessions(session_id) ON DELETE CASCADE
);

CREATE TABLE waits (
  process_id text collate "C" not null,
  key text collate "C" not null,
  "position" bigint not null,
  since bigint not null,
  until bigint,
  "on" text not null,
  awaited text collate "C",
  satisfied_at bigint,
  awaited_process text collate "C",
  PRIMARY KEY (process_id, key),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);
CREATE INDEX waits_by_awaited ON waits USING btree (awaited, process_id) WHERE (awaited IS NOT NULL);
CREATE INDEX waits_by_awaited_process ON waits USING btree (awaited_process) WHERE (awaited_process IS NOT NULL);

CREATE TABLE wakes (
  wake_id text collate "C" not null,
  target_session text collate "C" not null,
  process_id text collate "C" not null,
  sequence bigint not null,
  delivery text collate "C" not null,
  status text collate "C" not null,
  version bigint not null,
  attempts bigint not null,
  due_at bigint,
  expires_at bigint not null,
  claim_token text collate "C",
  discard_reason text collate "C",
  discarded_at bigint,
  is_open bigint,
  is_blocking bigint,
  claimed_by text collate "C",
  PRIMARY KEY (wake_id),
  FOREIGN KEY (process_id) REFERENCES processes(id) ON DELETE CASCADE
);
CREATE INDEX wakes_by_block ON wakes USING btree (wake_id) WHERE (is_blocking IS NOT NULL);
CREATE INDEX wakes_by_claimer ON wakes USING btree (claimed_by, wake_id) WHERE (claimed_by IS NOT NULL);
CREATE INDEX wakes_by_due ON wakes USING btree (due_at, wake_id) WHERE (due_at IS NOT NULL);
CREATE INDEX wakes_by_expiry ON wakes USING btree (expires_at) WHERE (is_open IS NOT NULL);
CREATE INDEX wakes_by_group ON wakes USING btree (target_session, process_id, sequence, wake_id) WHERE (is_open IS NOT NULL);
CREATE INDEX wakes_by_process ON wakes USING btree (process_id, sequence, wake_id);

CREATE TABLE workers (
  incarnation_id text collate "C" not null,
  host_id text collate "C",
  worker text not null,
  started_at bigint not null,
  last_seen bigint not null,
  PRIMARY KEY (incarnation_id)
);
CREATE INDEX workers_by_host ON workers USING btree (host_id, incarnation_id) WHERE (host_id IS NOT NULL);
