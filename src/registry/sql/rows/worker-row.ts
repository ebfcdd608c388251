import type { WorkerRow } from '../../../model/worker-row.ts'
import { decode, encode } from '../json-text.ts'
import type { WorkerTableRow } from '../schema.ts'
import { hostIdOf } from './host-id.ts'

export const toWorkerRow = (row: WorkerRow): WorkerTableRow => ({
  incarnation_id: row.worker.incarnationId,
  host_id: hostIdOf(row.worker),
  worker: encode(row.worker),
  started_at: row.startedAtMs,
  last_seen: row.lastSeenMs,
})

export const fromWorkerRow = (row: WorkerTableRow): WorkerRow => ({
  worker: decode(row.worker),
  startedAtMs: row.started_at,
  lastSeenMs: row.last_seen,
})
