import type { ProcessEvent, StoredEvent } from '../../model/event.ts'
import { DEFAULT_PRIORITY, hasTurns, parseQueue, queueOf, type Turn } from '../../model/flow.ts'
import type { HandleGrant } from '../../model/grant.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import { canonicalJson } from '../../model/json.ts'
import type { LeaseOwner, ProcessLease, StoredLease } from '../../model/lease.ts'
import { isBlockingWake, isOpenWake, type StoredWake } from '../../model/outbox.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import { originatorScopeId, triggerOf } from '../../model/provenance.ts'
import { signalNameOf } from '../../model/signal.ts'
import { awaitedKey, awaitedProcess, type WaitState } from '../../model/wait.ts'
import type { WorkerRow } from '../../model/worker-row.ts'
import { decode, decodeOptional, decodeShared, encode, encodeOptional } from './json-text.ts'
import type {
  EventRow,
  GrantRow,
  JournalRow,
  LeaseRow,
  MutableColumns,
  ProcessRow,
  RegistrationColumns,
  WaitRow,
  WakeRow,
  WorkerTableRow,
} from './schema.ts'

export function toRegistrationColumns({ record, traceparent }: StoredProcess): RegistrationColumns {
  const { kind, label, definition } = record.identity
  const trigger = triggerOf(record.provenance)
  return {
    id: record.id,
    kind,
    label: label ?? null,
    definition: definition === undefined ? null : canonicalJson(definition),
    disposition: record.disposition,
    input: encode(record.input),
    event_types: encode(record.eventTypes),
    provenance: encode(record.provenance),
    originator_scope: originatorScopeId(record.provenance.originator),
    occurrence_id: trigger.occurrenceId ?? null,
    subscription_id: trigger.subscriptionId ?? null,
    env_ref: record.envRef ?? null,
    max_attempts: record.maxAttempts ?? null,
    flow: encodeOptional(record.flow),
    priority: hasTurns(record.flow) ? (record.flow.priority ?? DEFAULT_PRIORITY) : null,
    registration_hash: record.registrationHash,
    incarnation: record.incarnation,
    created_at: record.createdAtMs,
    traceparent: traceparent ?? null,
  }
}

export function toMutableColumns({ record, ...stored }: StoredProcess, changeSeq: number): MutableColumns {
  return {
    updated_at: record.updatedAtMs,
    status: record.status,
    outcome: encodeOptional(record.outcome),
    external_ref: encodeOptional(record.externalRef),
    wake_target: encodeOptional(record.wakeTarget),
    wake_session: record.wakeTarget?.sessionId ?? null,
    first_started: encodeOptional(record.firstStarted),
    cancel_request: encodeOptional(record.cancelRequest),
    abandon_request: encodeOptional(record.abandonRequest),
    wait_count: record.waits.length,
    silent_since: record.silentSinceMs ?? null,
    turn: record.turn === undefined ? null : queueOf(record.turn),
    turn_since: record.turn?.sinceMs ?? null,
    turn_at: record.turn?.atMs ?? null,
    attempts: record.attempts,
    last_sequence: record.lastSequence,
    change_seq: changeSeq,
    due_at: stored.dueAtMs ?? null,
    submissions: stored.submissions,
    failures: stored.failures,
    attempts_spent: stored.attemptsSpent,
    is_attempt_open: stored.isAttemptOpen ? 1 : 0,
    is_run_waiting: stored.isRunWaiting ? 1 : 0,
    epoch: stored.epoch,
  }
}

export function fromProcessRow(row: ProcessRow, waits: readonly WaitState[]): StoredProcess {
  return {
    record: recordFromRow(row, waits),
    ...present({ dueAtMs: row.due_at, traceparent: row.traceparent }),
    submissions: row.submissions,
    failures: row.failures,
    attemptsSpent: row.attempts_spent,
    isAttemptOpen: row.is_attempt_open === 1,
    isRunWaiting: row.is_run_waiting === 1,
    epoch: row.epoch,
  }
}

export function recordFromRow(row: ProcessRow, waits: readonly WaitState[]): ProcessRecord {
  return {
    id: row.id,
    input: decode(row.input),
    disposition: row.disposition,
    identity: {
      kind: row.kind,
      ...present({ label: row.label }),
      // Not through `present`: the definition may be null itself.
      ...(row.definition === null ? {} : { definition: decode(row.definition) }),
    },
    eventTypes: decodeShared(row.event_types),
    provenance: decode(row.provenance),
    registrationHash: row.registration_hash,
    incarnation: row.incarnation,
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
    status: row.status,
    waits,
    attempts: row.attempts,
    lastSequence: row.last_sequence,
    changeSeq: row.change_seq,
    ...present({
      envRef: row.env_ref,
      wakeTarget: decodeOptional(row.wake_target),
      maxAttempts: row.max_attempts,
      outcome: decodeOptional(row.outcome),
      externalRef: decodeOptional(row.external_ref),
      firstStarted: decodeOptional(row.first_started),
      cancelRequest: decodeOptional(row.cancel_request),
      abandonRequest: decodeOptional(row.abandon_request),
      silentSinceMs: row.silent_since,
      flow: decodeOptional(row.flow),
      turn: turnFromRow(row),
    }),
  }
}

function turnFromRow({ turn, turn_since, turn_at }: ProcessRow): Turn | null {
  if (turn === null || turn_since === null) return null
  return { ...parseQueue(turn), sinceMs: turn_since, ...present({ atMs: turn_at }) }
}

export const toWaitRow = (processId: ProcessId, wait: WaitState, position: number): WaitRow => ({
  process_id: processId,
  key: wait.key,
  position,
  since: wait.sinceMs,
  until: wait.untilMs ?? null,
  on: encode(wait.on),
  awaited: awaitedKey(wait) ?? null,
  awaited_process: awaitedProcess(wait) ?? null,
  satisfied_at: wait.satisfiedAtMs ?? null,
})

export const fromWaitRow = (row: WaitRow): WaitState => ({
  key: row.key,
  sinceMs: row.since,
  ...present({ untilMs: row.until }),
  on: decode(row.on),
  ...present({ satisfiedAtMs: row.satisfied_at }),
})

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
    dead_host_id: deathProof === undefined ? null : hostOf(deathProof.owner),
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

export const toEventRow = ({ event, payloadHash }: StoredEvent): EventRow => ({
  process_id: event.processId,
  sequence: event.sequence,
  event_type: event.eventType,
  payload: encode(event.payload),
  session_id: event.invocation.scope.sessionId,
  caused_by: encode(event.invocation.causedBy),
  replay_key: event.invocation.replay?.key ?? null,
  payload_hash: payloadHash,
  occurred_at: event.occurredAtMs,
  semantics: encodeOptional(event.semantics),
  unacked_wake: event.semantics?.wake === undefined ? null : 1,
  unconsumed_signal: signalNameOf(event.eventType) === undefined ? null : 1,
})

export function eventFromRow(row: EventRow): ProcessEvent {
  const { process_id: processId, sequence, event_type: eventType, replay_key: key } = row
  return {
    processId,
    sequence,
    eventType,
    payload: decode(row.payload),
    invocation: {
      scope: { sessionId: row.session_id },
      subject: { processId, sequence, eventType },
      causedBy: decode(row.caused_by),
      ...present({ replay: key === null ? null : { key } }),
    },
    ...present({ semantics: decodeOptional(row.semantics) }),
    occurredAtMs: row.occurred_at,
  }
}

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
    discarded:
      row.discard_reason === null || row.discarded_at === null
        ? null
        : { reason: row.discard_reason, atMs: row.discarded_at },
  }),
})

export const toWorkerRow = (row: WorkerRow): WorkerTableRow => ({
  incarnation_id: row.worker.incarnationId,
  host_id: hostOf(row.worker),
  worker: encode(row.worker),
  started_at: row.startedAtMs,
  last_seen: row.lastSeenMs,
})

export const fromWorkerRow = (row: WorkerTableRow): WorkerRow => ({
  worker: decode(row.worker),
  startedAtMs: row.started_at,
  lastSeenMs: row.last_seen,
})

export const toGrantRow = ({ scopeId, processId, sessionId, descriptor }: HandleGrant): GrantRow => ({
  scope_id: scopeId,
  process_id: processId,
  session_id: sessionId,
  kind: descriptor.kind ?? null,
  label: descriptor.label ?? null,
})

export const fromGrantRow = (row: GrantRow): HandleGrant => ({
  sessionId: row.session_id,
  scopeId: row.scope_id,
  processId: row.process_id,
  descriptor: present({ kind: row.kind, label: row.label }),
})

const hostOf = ({ liveness }: LeaseOwner): string | null =>
  liveness.kind === 'local_process' ? liveness.hostId : null

type Present<T> = { readonly [K in keyof T]?: NonNullable<T[K]> }

/** SQL's null is an absent member. */
function present<T extends object>(members: T): Present<T> {
  const found: { [name: string]: unknown } = {}
  for (const [name, value] of Object.entries(members)) if (value !== null) found[name] = value
  return found as Present<T>
}
