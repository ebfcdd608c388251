import { isBlockingWake, isOpenWake, type StoredWake } from '../../../model/outbox.ts'
import { decode, encode } from '../json-text.ts'
import type { WakeRow } from '../schema.ts'
import { present } from './present.ts'

export const toWakeRow = (wake: StoredWake): WakeRow => ({
  wake_id: wake.delivery.wakeId,
  target_session: wake.delivery.targetSessionId,
  process_id: wake.delivery.processId,
  sequence: wake.delivery.sequence,
  delivery: encode(wake.delivery),
  status: wake.status,
  version: wake.version,
  attempts: wake.attempts,
  due_at: wake.dueAtMs ?? null,
  expires_at: wake.expiresAtMs,
  claim_token: wake.claimToken ?? null,
  claimed_by: wake.claimedBy ?? null,
  discard_reason: wake.discarded?.reason ?? null,
  discarded_at: wake.discarded?.atMs ?? null,
  is_open: isOpenWake(wake) ? 1 : null,
  is_blocking: isBlockingWake(wake) ? 1 : null,
})

export const fromWakeRow = (row: WakeRow): StoredWake => ({
  delivery: decode(row.delivery),
  status: row.status,
  version: row.version,
  attempts: row.attempts,
  expiresAtMs: row.expires_at,
  ...present({
    dueAtMs: row.due_at,
    claimToken: row.claim_token,
    claimedBy: row.claimed_by,
    discarded:
      row.discard_reason === null || row.discarded_at === null
        ? null
        : { reason: row.discard_reason, atMs: row.discarded_at },
  }),
})
