import { v7 as uuidv7 } from 'uuid'
import { DUE } from '../../model/due.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { type HandleGrant, newGrant } from '../../model/grant.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import {
  decideRegister,
  type HashedRegistration,
  hashRegistration,
  type RegisterDecision,
  type RegistrationRequest,
  type SameIdRule,
} from '../../model/registration.ts'
import type { Tombstone } from '../../model/retention.ts'
import type { RegisterOptions, RegisterResult } from '../registry.ts'
import type { Operation, StoreTransaction } from '../store.ts'
import { saveEntry } from './journal.ts'

export interface Asked extends HashedRegistration {
  readonly sameId: SameIdRule
  readonly reuse: boolean
  readonly isDueAtOnce: boolean
  readonly journal?: NonNullable<RegisterOptions['journal']>
  readonly firstGrant?: HandleGrant
}

/** Checked and hashed before the transaction. */
export function askedFor(
  request: RegistrationRequest,
  { sameId = 'whole', reuse = false, isDueAtOnce = false, grant, journal }: RegisterOptions = {},
): Asked {
  const asked = {
    ...hashRegistration(request),
    sameId,
    reuse,
    isDueAtOnce,
    ...(journal === undefined ? {} : { journal }),
  }
  if (grant === undefined) return asked
  return { ...asked, firstGrant: newGrant(grant.scope, asked.registration.id, grant.descriptor) }
}

export function* register(tx: StoreTransaction, { journal, ...asked }: Asked): Operation<RegisterResult> {
  const result = yield* registerRow(tx, asked)
  if (journal === undefined) return result
  const value = { id: result.record.id, started: result.type === 'registered' }
  yield* saveEntry(tx, journal.lease, { ...journal.entry, value }, yield* tx.now())
  return result
}

function* registerRow(
  tx: StoreTransaction,
  { sameId, reuse, isDueAtOnce, firstGrant, ...asked }: Omit<Asked, 'journal'>,
): Operation<RegisterResult> {
  const existing = yield* tx.loadProcess(asked.registration.id)
  // After the row: whoever waited for the lock of one that was pruned meanwhile finds its tombstone.
  const tombstone = existing === undefined ? yield* tx.loadTombstone(asked.registration.id) : undefined
  const known = { existing: existing?.record, tombstone }
  const decision = decideRegister(known, asked, { sameId, reuse })
  if (decision.type === 'existing') return decision
  const now = yield* tx.now()
  const stored = newRow(decision, now, isDueAtOnce ? now : DUE.afterRegister(now))
  yield* tx.insertProcess(stored)
  if (decision.continues !== undefined) yield* continueAfter(tx, decision.continues)
  if (firstGrant !== undefined) yield* tx.saveGrant(firstGrant)
  return { type: 'registered', record: stored.record }
}

export const notJoinable = (processId: ProcessId): LeaseholdError =>
  new LeaseholdError(
    'transaction_not_joinable',
    `Process "${processId}" cannot be registered in a transaction of the host's: only a registry in PostgreSQL can join one, and this one is elsewhere. Use register, or move the registry into the host's database.`,
    { processId },
  )

type Insertion = Extract<RegisterDecision, { readonly type: 'insert' }>

function newRow(
  { registration, registrationHash, continues }: Insertion,
  now: number,
  dueAtMs: number,
): StoredProcess {
  const record: ProcessRecord = {
    ...registration,
    registrationHash,
    incarnation: uuidv7(),
    createdAtMs: now,
    updatedAtMs: now,
    status: 'running',
    waits: [],
    attempts: 0,
    lastSequence: continues?.lastSequence ?? 0,
    changeSeq: 0, // the store gives the row its position as it inserts it
  }
  const row = {
    record,
    submissions: 0,
    failures: 0,
    attemptsSpent: 0,
    isAttemptOpen: false,
    isRunWaiting: false,
    epoch: 0,
  }
  // Nobody here will ever run an externally owned process, so nothing about it comes due.
  return registration.disposition === 'externally_owned' ? row : { ...row, dueAtMs }
}

/** A new life of the id: no writer and no receiver of the old one may take its fences and sequences for theirs. */
function* continueAfter(tx: StoreTransaction, { id, fence }: Tombstone): Operation<void> {
  if (fence > 0) yield* tx.saveLease(id, { fence }, 0)
  yield* tx.deleteTombstone(id)
}
