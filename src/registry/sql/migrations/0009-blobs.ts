import type { Migration } from '../migrations.ts'

/**
 * Large parts of rows, each once, and who refers to them: a journal entry, or any other row of a process or a
 * session, which lasts as long as that. The references go with what made them. Rows that were written before stay as they are: what they hold is
 * whole.
 */
export const blobs: Migration = {
  version: 9,
  name: 'blobs',
  sqlite: execute =>
    execute(`
create table blobs (
  hash text not null primary key,
  -- Before the text, so that it is read without it.
  size integer not null,
  text text not null
) strict;

create table process_blobs (
  process_id text not null references processes (id) on delete cascade,
  hash text not null references blobs (hash),
  primary key (process_id, hash)
) strict, without rowid;

create index process_blobs_by_hash on process_blobs (hash);

create table journal_blobs (
  process_id text not null,
  epoch integer not null,
  address text not null,
  hash text not null references blobs (hash),
  primary key (process_id, epoch, address, hash),
  foreign key (process_id, epoch, address) references journal (process_id, epoch, address) on delete cascade
) strict, without rowid;

create index journal_blobs_by_hash on journal_blobs (hash);

create table session_blobs (
  session_id text not null references sessions (session_id) on delete cascade,
  hash text not null references blobs (hash),
  primary key (session_id, hash)
) strict, without rowid;

create index session_blobs_by_hash on session_blobs (hash);
`),
  postgres: execute =>
    execute(`
create table blobs (
  hash text collate "C" not null primary key,
  size bigint not null,
  text text collate "C" not null
);

create table process_blobs (
  process_id text collate "C" not null references processes (id) on delete cascade,
  hash text collate "C" not null references blobs (hash),
  primary key (process_id, hash)
);

create index process_blobs_by_hash on process_blobs (hash);

create table journal_blobs (
  process_id text collate "C" not null,
  epoch bigint not null,
  address text collate "C" not null,
  hash text collate "C" not null references blobs (hash),
  primary key (process_id, epoch, address, hash),
  foreign key (process_id, epoch, address) references journal (process_id, epoch, address) on delete cascade
);

create index journal_blobs_by_hash on journal_blobs (hash);

create table session_blobs (
  session_id text collate "C" not null references sessions (session_id) on delete cascade,
  hash text collate "C" not null references blobs (hash),
  primary key (session_id, hash)
);

create index session_blobs_by_hash on session_blobs (hash);
`),
}
