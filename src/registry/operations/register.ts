import { v7 as uuidv7 } from 'uuid'
import {
  type BeginAttemptRequest,
  decideBeginAttempt,
  decideEnterBody,
  leaseForAttempt,
  storedLease,
} from '../../model/attempt.ts'
import { DUE } from '../../model/due.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { buildRegistryEvent, RESERVED_EVENT_TYPES, type StoredEvent } from '../../model/event.ts'
import { hasTurns } from '../../model/flow.ts'
import { type HandleGrant, newGrant } from '../../model/grant.ts'
import type { ProcessId } from '../../model/ids.ts'
import { asJson } from '../../model/json.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import {
  decideRegister,
  type HashedRegistration,
  hashRegistration,
  type RegisterDecision,
  type RegistrationRequest,
  type SameIdRule,
} from '../../model/registration.ts'
import { together } from '../operation.ts'
import type { RegisterOptions, RegisterResult, StartResult } from '../registry.ts'
import type { Operation, StoreTransaction } from '../store.ts'
import { inheritBudget } from './budgets.ts'
import { changed, dueAt } from './due.ts'
import { saveEntry } from './journal.ts'
import { queueTurn } from './sessions.ts'
import { withEvent } from './shared.ts'

export interface Asked extends HashedRegistration {
  readonly sameId: SameIdRule
  readonly reuse: boolean
  readonly isDueAtOnce: boolean
  readonly traceparent?: string
  readonly journal?: NonNullable<RegisterOptions['journal']>
  readonly firstGrant?: HandleGrant
  readonly turnOf?: string
  readonly whenBusy?: 'wait' | 'refuse'
}

/** Checked and hashed before the transaction. */
export function askedFor(
  request: RegistrationRequest,
  {
    sameId = 'whole',
    reuse = false,
    isDueAtOnce = false,
    grant,
    journal,
    turnOf,
    whenBusy,
    traceparent,
  }: RegisterOptions = {},
): Asked {
  const asked = {
    ...hashRegistration(request),
    sameId,
    reuse,
    isDueAtOnce,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(journal === undefined ? {} : { journal }),
    ...(turnOf === undefined ? {} : { turnOf }),
    ...(whenBusy === undefined ? {} : { whenBusy }),
  }
  if (grant === undefined) return asked
  return { ...asked, firstGrant: newGrant(grant.scope, asked.registration.id, grant.descriptor) }
}

export function* register(tx: StoreTransaction, { journal, ...asked }: Asked): Operation<RegisterResult> {
  const result = yield* registerRow(tx, asked)
  const isNew = result.type === 'registered'
  if (journal !== undefined) {
    const value = { id: result.record.id, started: isNew }
    yield* saveEntry(tx, journal.lease, { ...journal.entry, value })
  }
  // After the entry, which locks the row of whoever starts it: its calls, too, lock that before its budget.
  if (isNew) yield* inheritBudget(tx, result.record)
  return result
}

function* registerRow(tx: StoreTransaction, asked: Omit<Asked, 'journal'>): Operation<RegisterResult> {
  const { decision, now } = yield* decide(tx, asked)
  if (decision.type === 'existing') return decision
  const stored = newRow(decision, asked, now, asked.isDueAtOnce ? now : DUE.afterRegister(now))
  yield* insertRow(tx, stored, decision, asked)
  const { continues } = decision
  // A new life of the id: no writer and no receiver of the old one may take its fences and sequences for theirs.
  if (continues !== undefined && continues.fence > 0) {
    yield* tx.saveLease(continues.id, { fence: continues.fence }, 0)
  }
  return { type: 'registered', record: stored.record }
}

/** Both in one transaction, so that the row is leased from its first moment on. */
export function* registerAndBegin(
  tx: StoreTransaction,
  asked: Asked,
  request: BeginAttemptRequest,
): Operation<StartResult> {
  const { decision, now } = yield* decide(tx, asked)
  if (decision.type === 'existing') return decision
  const row = newRow(decision, asked, now, now)
  yield* inheritBudget(tx, row.record)
  const lapsed = decision.continues === undefined ? undefined : { fence: decision.continues.fence }
  const begin = decideBeginAttempt(row, lapsed, request, now)
  // In its turn, which is for the attempt of its own that the due row gets.
  if (begin.type !== 'run' || hasTurns(row.record.flow)) {
    yield* insertRow(tx, row, decision, asked)
    return { type: 'registered', record: row.record }
  }
  const { lease } = leaseForAttempt(row.record.id, lapsed, request, now)
  const { process, started } = begunRow(row, lease, request, now)
  yield* insertRow(tx, process, decision, asked)
  yield* tx.saveLease(lease.processId, storedLease(lease, request), 0)
  // Nobody can be waiting for it: whoever waits for something of an id that is not there is due at once.
  if (started !== undefined) yield* tx.insertEvent(started)
  return {
    type: 'registered',
    record: process.record,
    begun: { type: 'run', lease, process, journal: [] },
  }
}

/**
 * The new row under its first lease. A rerunnable body may be entered again whatever becomes of this attempt, so that its
 * first start is told in advance; that of an owner-bound one is told immediately before, by `enterBody`.
 */
function begunRow(
  row: StoredProcess,
  lease: ProcessLease,
  { worker }: BeginAttemptRequest,
  now: number,
): { readonly process: StoredProcess; readonly started?: StoredEvent } {
  const leased = dueAt({ ...row, isAttemptOpen: true }, DUE.afterLease(lease.expiresAtMs))
  const process = changed(leased, { attempts: 1 }, now)
  const entry = decideEnterBody(process, lease, worker, now)
  if (row.record.disposition !== 'rerunnable' || entry.type === 'refused') return { process }
  const { firstStarted } = entry
  const entered = changed(process, { firstStarted }, now)
  const event = { eventType: RESERVED_EVENT_TYPES.firstStarted, payload: asJson(firstStarted) }
  const started = buildRegistryEvent(entered.record, event, now)
  return { process: withEvent(entered, started.event), started }
}

function* decide(
  tx: StoreTransaction,
  { sameId, reuse, ...asked }: Omit<Asked, 'journal'>,
): Operation<{ decision: RegisterDecision; now: number }> {
  const { id } = asked.registration
  // The tombstone after the row: whoever waited for the lock of one that was pruned meanwhile finds it.
  const [existing, tombstone, now] = yield* together(
    tx.loadProcess(id, 'absent'),
    tx.loadTombstone(id),
    tx.now(),
  )
  const known = { existing: existing?.record, tombstone: existing === undefined ? tombstone : undefined }
  return { decision: decideRegister(known, asked, { sameId, reuse }), now }
}

function* insertRow(
  tx: StoreTransaction,
  stored: StoredProcess,
  { continues }: Insertion,
  { firstGrant, turnOf, whenBusy }: Pick<Asked, 'firstGrant' | 'turnOf' | 'whenBusy'>,
): Operation<void> {
  yield* tx.insertProcess(stored)
  if (turnOf !== undefined) yield* queueTurn(tx, turnOf, { turnId: stored.record.id, whenBusy })
  if (continues !== undefined) yield* tx.deleteTombstone(continues.id)
  if (firstGrant !== undefined) yield* tx.saveGrant(firstGrant)
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
  { traceparent }: Pick<Asked, 'traceparent'>,
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
    ...(traceparent === undefined ? {} : { traceparent }),
    epoch: 0,
  }
  // Nobody here will ever run an externally owned process, so nothing about it comes due.
  return registration.disposition === 'externally_owned' ? row : { ...row, dueAtMs }
}
