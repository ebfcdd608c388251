import { DEFAULT_PRIORITY, hasTurns, parseQueue, queueOf, type Turn } from '../../../model/flow.ts'
import { canonicalJson } from '../../../model/json.ts'
import type { ProcessRecord, StoredProcess } from '../../../model/process.ts'
import { originatorScopeId, triggerOf } from '../../../model/provenance.ts'
import type { WaitState } from '../../../model/wait.ts'
import { decode, decodeOptional, encode, encodeOptional } from '../json-text.ts'
import type { MutableColumns, ProcessRow, RegistrationColumns } from '../process-tables.ts'
import { decodeEventTypes, encodeEventTypes } from './event-types.ts'
import { present } from './present.ts'

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
    event_types: encodeEventTypes(record.eventTypes),
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

/** What a record is made of. The rest of a row is for the lists' conditions and for the registry itself. */
export const RECORD_COLUMNS = [
  'id',
  'input',
  'disposition',
  'kind',
  'label',
  'definition',
  'event_types',
  'provenance',
  'registration_hash',
  'incarnation',
  'created_at',
  'updated_at',
  'status',
  'wait_count',
  'attempts',
  'last_sequence',
  'change_seq',
  'env_ref',
  'wake_target',
  'max_attempts',
  'outcome',
  'external_ref',
  'first_started',
  'cancel_request',
  'abandon_request',
  'silent_since',
  'flow',
  'turn',
  'turn_since',
  'turn_at',
] as const satisfies readonly (keyof ProcessRow)[]

export type RecordRow = Pick<ProcessRow, (typeof RECORD_COLUMNS)[number]>

export function recordFromRow(row: RecordRow, waits: readonly WaitState[]): ProcessRecord {
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
    eventTypes: decodeEventTypes(row.event_types),
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

function turnFromRow({ turn, turn_since, turn_at }: RecordRow): Turn | null {
  if (turn === null || turn_since === null) return null
  return { ...parseQueue(turn), sinceMs: turn_since, ...present({ atMs: turn_at }) }
}
