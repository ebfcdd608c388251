import type { JournalEntry } from '../../../model/journal.ts'
import { decode, decodeOptional, encodeOptional } from '../json-text.ts'
import type { JournalRow } from '../schema.ts'
import { present } from './present.ts'

export const toJournalRow = (entry: JournalEntry): JournalRow => ({
  process_id: entry.processId,
  epoch: entry.epoch,
  address: entry.address,
  position: entry.position,
  kind: entry.kind,
  effect: entry.effect,
  digest: entry.digest,
  status: entry.status,
  operation_id: entry.operationId,
  value: encodeOptional(entry.value),
  failure: encodeOptional(entry.failure),
  attempt: entry.attempt,
  fence: entry.fence,
  claimed_by: encodeOptional(entry.claimedBy),
  start_by: entry.startByMs ?? null,
  started_at: entry.startedAtMs,
  ended_at: entry.endedAtMs ?? null,
  is_told: entry.isTold === true ? 1 : null,
  resolution: encodeOptional(entry.resolution),
})

export const fromJournalRow = (row: JournalRow): JournalEntry => ({
  processId: row.process_id,
  epoch: row.epoch,
  position: row.position,
  address: row.address,
  kind: row.kind,
  effect: row.effect,
  digest: row.digest,
  status: row.status,
  operationId: row.operation_id,
  // Not through `present`: the value may be null itself.
  ...(row.value === null ? {} : { value: decode(row.value) }),
  attempt: row.attempt,
  fence: row.fence,
  startedAtMs: row.started_at,
  ...(row.is_told === null ? {} : { isTold: true }),
  ...present({
    failure: decodeOptional(row.failure),
    claimedBy: decodeOptional(row.claimed_by),
    startByMs: row.start_by,
    endedAtMs: row.ended_at,
    resolution: decodeOptional(row.resolution),
  }),
})
