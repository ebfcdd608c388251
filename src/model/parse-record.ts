import {
  type Decoder,
  json,
  list,
  object,
  oneOf,
  optional,
  Place,
  text,
  variants,
  wholeNumber,
} from './decode.ts'
import type { Turn } from './flow.ts'
import { type ProcessId, requireProcessId } from './ids.ts'
import type { LeaseOwner, Liveness } from './lease.ts'
import {
  ABANDON_WRITERS,
  type AbandonEvidence,
  FAILURE_CLASSES,
  type Outcome,
  TERMINAL_STATUSES,
} from './outcome.ts'
import {
  disposition,
  eventTypes,
  flow,
  identity,
  processInput,
  provenance,
  sessionScope,
} from './parse-registration.ts'
import type { AbandonRequest, CancelRequest, ExternalRef, FirstStarted, ProcessRecord } from './process.ts'
import type { WaitCondition, WaitState } from './wait.ts'

/** Takes a record from untyped input: one that was printed or sent as JSON. Fields that are not known are refused by name. */
export const parseRecord = (input: unknown): ProcessRecord =>
  record(input, new Place('process record', 'usage'))

const processId: Decoder<ProcessId> = (value, at) => requireProcessId(text(value, at))

const liveness = variants<'kind', Liveness>('kind', {
  opaque: {},
  local_process: {
    hostId: text,
    bootId: text,
    pid: wholeNumber,
    processStart: text,
  },
})

const leaseOwner = object<LeaseOwner>({ ownerId: text, incarnationId: text, liveness })

const abandonEvidence = object<AbandonEvidence>({
  writer: oneOf(ABANDON_WRITERS),
  owner: optional(leaseOwner),
  statedBy: optional(text),
  epochMs: wholeNumber,
})

const outcome = variants<'status', Outcome>('status', {
  completed: { value: json },
  failed: {
    class: oneOf(FAILURE_CLASSES),
    code: text,
    message: text,
    raw: optional(json),
  },
  cancelled: { message: text, raw: optional(json) },
  abandoned: { evidence: abandonEvidence },
})

const wait = object<WaitState>({
  key: text,
  sinceMs: wholeNumber,
  untilMs: optional(wholeNumber),
  on: variants<'type', WaitCondition>('type', {
    timer: {},
    signal: { name: text },
    process: { processId: text },
    event: { processId: text, eventType: text, after: wholeNumber },
    unknown_step: { step: text },
    external_key: { key: text },
  }),
  satisfiedAtMs: optional(wholeNumber),
})

const record = object<ProcessRecord>({
  id: processId,
  input: processInput,
  disposition,
  identity,
  eventTypes,
  provenance,
  envRef: optional(text),
  wakeTarget: optional(sessionScope),
  maxAttempts: optional(wholeNumber),
  flow: optional(flow),
  registrationHash: text,
  incarnation: text,
  createdAtMs: wholeNumber,
  updatedAtMs: wholeNumber,
  status: oneOf(['running', ...TERMINAL_STATUSES]),
  outcome: optional(outcome),
  externalRef: optional(object<ExternalRef>({ backend: text, id: text, metadata: optional(json) })),
  firstStarted: optional(
    object<FirstStarted>({ owner: leaseOwner, attempt: text, fence: wholeNumber, startedAtMs: wholeNumber }),
  ),
  cancelRequest: optional(
    object<CancelRequest>({
      requestedAtMs: wholeNumber,
      reason: optional(text),
      forcedAtMs: optional(wholeNumber),
    }),
  ),
  abandonRequest: optional(
    object<AbandonRequest>({ requestedBy: text, requestedAtMs: wholeNumber, reason: optional(text) }),
  ),
  waits: list(wait),
  silentSinceMs: optional(wholeNumber),
  turn: optional(
    object<Turn>({
      on: oneOf(['concurrency', 'rate']),
      key: text,
      sinceMs: wholeNumber,
      atMs: optional(wholeNumber),
    }),
  ),
  attempts: wholeNumber,
  lastSequence: wholeNumber,
  changeSeq: wholeNumber,
})
