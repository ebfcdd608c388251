import { LeaseholdError } from './errors.ts'
import { CORE_EVENT_TYPES, type EventType, isReservedEventType, MAX_EVENT_TYPE_LENGTH } from './event.ts'
import { findFlowProblem } from './flow.ts'
import { requireProcessId } from './ids.ts'
import { asJson, canonicalJson, hashJson, type Json, jsonBytes, jsonEquals } from './json.ts'
import { TERMINAL_STATUSES } from './outcome.ts'
import { parseRegistration } from './parse-registration.ts'
import type { ProcessIdentity, ProcessInput, ProcessRecord, ProcessRegistration } from './process.ts'
import { brokenProvenanceRule, canonicalProvenance } from './provenance.ts'
import { noLongerRetained, type Tombstone } from './retention.ts'
import { findSelectorProblem } from './selector.ts'
import { brokenScopeRule, withoutEmptyFrame } from './session-scope.ts'
import { findSignalNameProblem, signalNameOf } from './signal.ts'

/** What `register` takes: a registration whose identity and core event types are still to be filled in. */
export type RegistrationRequest = Omit<ProcessRegistration, 'id' | 'identity' | 'eventTypes'> & {
  readonly id: string
  readonly identity?: ProcessIdentity
  readonly eventTypes?: readonly EventType[]
}

/** Inputs, event payloads, step values and outcomes. Anything larger belongs into a store of its own. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024

/**
 * How an existing row of the same id is compared. `whole`: by the hash of the whole registration. `request`: by what a
 * caller of `start` says itself (kind, input, disposition), because the rest is captured from its surroundings.
 */
export type SameIdRule = 'whole' | 'request'

export type RegisterDecision =
  /** `continues`: the pruned process whose id it takes over. */
  | ({ readonly type: 'insert'; readonly continues?: Tombstone } & HashedRegistration)
  | { readonly type: 'existing'; readonly record: ProcessRecord }

export interface HashedRegistration {
  readonly registration: ProcessRegistration
  readonly registrationHash: string
}

/** They are most of what a registration says. */
const CORE_TEXTS: ReadonlyMap<Json, string> = new Map(
  CORE_EVENT_TYPES.map(type => [asJson(type), canonicalJson(asJson(type))]),
)

/** Checks and hashes what is asked for: before the transaction, because an input may be large and nobody should wait for it. */
export function hashRegistration(request: RegistrationRequest): HashedRegistration {
  const registration = completeRegistration(request)
  return { registration, registrationHash: hashJson(asJson(registration), CORE_TEXTS) }
}

/** What is known of the id: a row, or the tombstone of a pruned one, or neither. */
export interface KnownId {
  readonly existing?: ProcessRecord | undefined
  readonly tombstone?: Tombstone | undefined
}

export function decideRegister(
  { existing, tombstone }: KnownId,
  { registration, registrationHash }: HashedRegistration,
  { sameId, reuse }: { readonly sameId: SameIdRule; readonly reuse: boolean },
): RegisterDecision {
  if (existing === undefined) {
    const insert = { type: 'insert', registration, registrationHash } as const
    if (tombstone === undefined) return insert
    if (!reuse) throw noLongerRetained(tombstone)
    return { ...insert, continues: tombstone }
  }
  if (existing.registrationHash === registrationHash) return { type: 'existing', record: existing }
  const difference = differenceInRequest(existing, registration)
  if (sameId === 'request' && difference === undefined) return { type: 'existing', record: existing }
  throw new LeaseholdError(
    'process_registration_conflict',
    `Process "${existing.id}" is already registered with another ${difference ?? 'registration'} (hash ${existing.registrationHash.slice(0, 12)}… against ${registrationHash.slice(0, 12)}…). Use a new id for new work; the existing process was not touched.`,
    {
      processId: existing.id,
      details: { existingHash: existing.registrationHash, requestedHash: registrationHash, difference },
    },
  )
}

function differenceInRequest(existing: ProcessRecord, requested: ProcessRegistration): string | undefined {
  if (existing.identity.kind !== requested.identity.kind || existing.input.type !== requested.input.type) {
    return `kind (${existing.identity.kind} against ${requested.identity.kind})`
  }
  if (!jsonEquals(comparableInput(existing.input), comparableInput(requested.input))) return 'input'
  if (existing.disposition !== requested.disposition) {
    return `disposition (${existing.disposition} against ${requested.disposition})`
  }
  return undefined
}

/** Without what was made up or captured for the start: call id, preparation, policy and options are no part of what the caller asked for. */
function comparableInput(input: ProcessInput): Json {
  switch (input.type) {
    case 'tool_call':
      return { toolName: input.call.toolName, args: input.call.args }
    case 'session_turn': {
      const { policy: _, pluginOptions: __, ...createRequest } = input.createRequest
      return asJson({ ...input, createRequest })
    }
    default:
      return asJson(input)
  }
}

/** Fills in identity and core event types, and checks every rule that a registration must keep. */
export function completeRegistration(asked: RegistrationRequest): ProcessRegistration {
  const request = parseRegistration(asked)
  const id = requireProcessId(request.id)
  const invalid = (problem: string) =>
    new LeaseholdError('process_registration_invalid', `The registration of "${id}" ${problem}.`, {
      processId: id,
    })

  const { input, identity = deriveIdentity(input), wakeTarget } = request
  if (NEEDS_ENV[input.type] && (request.envRef ?? '') === '') {
    throw invalid(`has ${input.type} input, which needs a captured environment (envRef)`)
  }
  if (!NEEDS_ENV[input.type] && request.envRef !== undefined) {
    throw invalid(`has ${input.type} input and must not carry an environment (envRef)`)
  }
  if (identity.kind.trim() === '') throw invalid('has an identity whose kind is blank')
  const broken = brokenProvenanceRule(request.provenance)
  if (broken !== undefined) throw invalid(broken)
  const brokenTarget = wakeTarget && brokenScopeRule(wakeTarget)
  if (brokenTarget !== undefined) throw invalid(`has a wake target that ${brokenTarget}`)
  if (request.maxAttempts !== undefined && request.maxAttempts < 1) {
    throw invalid(`has maxAttempts ${request.maxAttempts}; it must be above 0`)
  }
  const flowProblem = request.flow && findFlowProblem(request.flow)
  if (flowProblem !== undefined) throw invalid(`has ${flowProblem}`)
  if (request.flow !== undefined && request.disposition === 'externally_owned') {
    throw invalid('is externally owned and must not ask for flow control: nothing here runs it')
  }
  requirePayloadSize('input', asJson(input), id)
  return {
    ...request,
    id,
    identity,
    provenance: canonicalProvenance(request.provenance),
    ...(wakeTarget === undefined ? {} : { wakeTarget: withoutEmptyFrame(wakeTarget) }),
    eventTypes: completeEventTypes(request.eventTypes ?? [], invalid),
  }
}

/** A turn's session brings its own environment, and external work runs elsewhere: with a captured one they would have two. */
const NEEDS_ENV: Readonly<Record<ProcessInput['type'], boolean>> = {
  tool_call: true,
  engine: true,
  session_turn: false,
  external: false,
}

function completeEventTypes(
  declared: readonly EventType[],
  invalid: (problem: string) => Error,
): readonly EventType[] {
  const names = new Set<string>()
  for (const type of declared) {
    const { name } = type
    if (name.trim() === '') throw invalid('declares an event type with a blank name')
    if (name.length > MAX_EVENT_TYPE_LENGTH) {
      throw invalid(
        `declares an event type of ${name.length} characters; the limit is ${MAX_EVENT_TYPE_LENGTH}`,
      )
    }
    if (isReservedEventType(name)) throw invalid(`declares "${name}", which is reserved`)
    if (names.has(name)) throw invalid(`declares event type "${name}" twice`)
    // A schema of its own would let a process refuse its cancel; without its terminal, anybody could append its end.
    const core = CORE_EVENT_TYPES.find(other => other.name === name)
    if (core !== undefined && !jsonEquals(asJson(core), asJson(withoutWake(type)))) {
      throw invalid(`declares the core event type "${name}" in another way; leave out all but a wake`)
    }
    const problem = findTypeProblem(type)
    if (problem !== undefined) throw invalid(`declares event type "${name}", which ${problem}`)
    names.add(name)
  }
  return [...declared, ...CORE_EVENT_TYPES.filter(core => !names.has(core.name))]
}

/** A core type as declared, but for the wake that a producer may add to it. */
function withoutWake({ semantics, ...type }: EventType): EventType {
  const terminal = semantics?.terminal
  return terminal === undefined ? type : { ...type, semantics: { terminal } }
}

function findTypeProblem({ name, semantics }: EventType): string | undefined {
  const signal = signalNameOf(name)
  const nameProblem = signal === undefined ? undefined : findSignalNameProblem(signal)
  if (nameProblem !== undefined) return `names a signal that ${nameProblem}`
  const { terminal, wake } = semantics ?? {}
  if (terminal !== undefined) {
    const { state, awaitOutput } = terminal
    if (!TERMINAL_STATUSES.includes(state))
      return `ends the process as ${state}, which is none of ${TERMINAL_STATUSES.join(', ')}`
    // A value of any shape is a success; the other three say why, and only the declaration knows where that stands.
    if (awaitOutput === undefined && state !== 'completed')
      return `ends the process as ${state} and needs an awaitOutput selector`
  }
  const { dedupeKey } = wake ?? {}
  const dedupe = typeof dedupeKey === 'object' && 'selector' in dedupeKey ? dedupeKey.selector : undefined
  for (const [where, selector] of Object.entries({
    'terminal.awaitOutput': terminal?.awaitOutput,
    'wake.when': wake?.when,
    'wake.input': wake && (wake.input ?? null),
    'wake.dedupeKey': dedupe,
  })) {
    const problem = selector === undefined ? undefined : findSelectorProblem(selector)
    if (problem !== undefined) return `has a selector at ${where} that ${problem}`
  }
  return undefined
}

function deriveIdentity(input: ProcessInput): ProcessIdentity {
  switch (input.type) {
    case 'tool_call':
      return { kind: 'tool', label: input.call.toolName }
    case 'engine':
      return { kind: input.kind }
    case 'session_turn': {
      const { subagent, usageSource, sessionId } = input.createRequest
      return { kind: 'session_turn', ...labelled(subagent?.capability ?? usageSource ?? sessionId) }
    }
    case 'external':
      return { kind: 'external', ...labelled(firstString(input.metadata, ['label', 'name', 'title'])) }
  }
}

const labelled = (label: string | undefined) => (label === undefined ? {} : { label })

function firstString(value: unknown, fields: readonly string[]): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return fields.map(field => Reflect.get(value, field)).find(member => typeof member === 'string')
}

/** Returns its bytes, or throws `payload_too_large`, naming what and how large. */
export function requirePayloadSize(what: string, value: Parameters<typeof jsonBytes>[0], id: string): number {
  const bytes = jsonBytes(value)
  if (bytes <= MAX_PAYLOAD_BYTES) return bytes
  throw new LeaseholdError(
    'payload_too_large',
    `The ${what} of process "${id}" has ${bytes} bytes; the limit is ${MAX_PAYLOAD_BYTES}. Store it elsewhere and pass a reference.`,
    { processId: id, details: { what, bytes } },
  )
}
