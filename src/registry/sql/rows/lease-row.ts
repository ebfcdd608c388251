import type { ProcessId } from '../../../model/ids.ts'
import type { ProcessLease, StoredLease } from '../../../model/lease.ts'
import { decode, decodeOptional, encodeOptional } from '../json-text.ts'
import type { LeaseRow } from '../process-tables.ts'
import { hostIdOf } from './host-id.ts'
import { present } from './present.ts'

export function toLeaseRow(processId: ProcessId, lease: StoredLease): LeaseRow {
  const { holder, deathProof } = lease
  return {
    process_id: processId,
    fence: lease.fence,
    owner: encodeOptional(holder?.owner),
    token: holder?.leaseToken ?? null,
    claimed_at: holder?.claimedAtMs ?? null,
    expires_at: holder?.expiresAtMs ?? null,
    worker_incarnation: lease.workerIncarnation ?? null,
    backend_token: lease.backendToken ?? null,
    death_proof: encodeOptional(deathProof),
    dead_host_id: deathProof === undefined ? null : hostIdOf(deathProof.owner),
    place: holder?.place ?? null,
  }
}

export const fromLeaseRow = (row: LeaseRow): StoredLease => ({
  fence: row.fence,
  ...present({
    holder: holderFromRow(row) ?? null,
    workerIncarnation: row.worker_incarnation,
    backendToken: row.backend_token,
    deathProof: decodeOptional(row.death_proof),
  }),
})

export function holderFromRow(row: LeaseRow): ProcessLease | undefined {
  const { owner, token, claimed_at, expires_at } = row
  if (owner === null || token === null || claimed_at === null || expires_at === null) return undefined
  return {
    schemaVersion: 2,
    processId: row.process_id,
    owner: decode(owner),
    leaseToken: token,
    fencingToken: row.fence,
    claimedAtMs: claimed_at,
    expiresAtMs: expires_at,
    ...present({ place: row.place }),
  }
}
