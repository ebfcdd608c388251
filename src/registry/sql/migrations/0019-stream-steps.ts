import type { Migration } from '../migrations.ts'

/** Which step wrote a row, and indexes by which a next attempt finds what the ones before it have left. */
export const streamSteps: Migration = {
  version: 19,
  name: 'stream steps',
  sqlite: execute =>
    execute(`
create table stream_rows_with_steps (
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
insert into stream_rows_with_steps
  select process_id, channel, to_offset, from_offset, epoch, attempt, fence, content ->> '$.step', content, written_at
  from stream_rows;
drop table stream_rows;
alter table stream_rows_with_steps rename to stream_rows;
create index stream_rows_outside on stream_rows (process_id, epoch, channel, to_offset) where step is null;
create index stream_rows_of_steps on stream_rows (process_id, epoch, attempt, channel, to_offset) where step is not null;
`),
  postgres: execute =>
    execute(`
alter table stream_rows add column step text collate "C";
update stream_rows set step = content::json ->> 'step' where content::json ->> 'step' is not null;
create index stream_rows_outside on stream_rows (process_id, epoch, channel, to_offset) where step is null;
create index stream_rows_of_steps on stream_rows (process_id, epoch, attempt, channel, to_offset) where step is not null;
`),
}
