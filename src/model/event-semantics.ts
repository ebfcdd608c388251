import { isLeaseholdError, LeaseholdError } from './errors.ts'
import type { Json } from './json.ts'
import type { Outcome, TerminalStatus } from './outcome.ts'
import { decodeOutcome, wrapAsOutcome } from './outcome-decoding.ts'
import { isTruthy, type Selector, select, stringify } from './selector.ts'

/** What an event of a type does beyond being recorded. */
export interface EventSemantics {
  /** It ends the process. */
  readonly terminal?: TerminalSpec
  /** It wakes the session that should hear of the process. */
  readonly wake?: WakeSpec
}

export interface TerminalSpec {
  readonly state: TerminalStatus
  /**
   * What becomes the outcome: an outcome as it stands, any other value wrapped into one of `state`. Only `completed` may
   * leave it out, and then the whole payload is its value.
   */
  readonly awaitOutput?: Selector
}

export interface WakeSpec {
  /** No wake where this is false or empty. Default: always. */
  readonly when?: Selector
  /** The text that the session is given. */
  readonly input: Selector
  /** Wakes of one key and one target are one wake. Default `event_identity`: each event wakes. */
  readonly dedupeKey?: 'event_identity' | { readonly selector: Selector } | { readonly const: string }
}

/** What one event meant when it was written. Stored with it: a later declaration does not change the past. */
export interface MaterializedSemantics {
  readonly terminal?: { readonly state: TerminalStatus; readonly output: Outcome }
  readonly wake?: MaterializedWake
}

export interface MaterializedWake {
  readonly input: string
  readonly dedupeKey: string
}

/** The event that a declaration is applied to. */
export interface SemanticsSource {
  readonly processId: string
  readonly sequence: number
  readonly eventType: string
  readonly payload: Json
}

/** Applies a declaration; throws `process_event_selector` where it does not fit the payload. */
export function materialize(
  semantics: EventSemantics | undefined,
  event: SemanticsSource,
): MaterializedSemantics | undefined {
  const { terminal, wake } = semantics ?? {}
  return compact({
    terminal: terminal && { state: terminal.state, output: outputOf(terminal, event) },
    wake: wake && materializeWake(wake, event),
  })
}

/**
 * For events that the registry itself writes: an outcome that is given, and a wake that tells the whole payload where
 * its selectors do not fit. A mistake in a declaration must not keep an outcome or a cancel from being written.
 */
export function materializeGiven(
  semantics: EventSemantics | undefined,
  event: SemanticsSource,
  outcome: Outcome | undefined,
): MaterializedSemantics | undefined {
  return compact({
    terminal: outcome && { state: outcome.status, output: outcome },
    wake: semantics?.wake && materializeWakeAnyway(semantics.wake, event),
  })
}

/** A payload as text for a model: its `text`, else its `value`, else all of it. */
export function textOfPayload(payload: Json): string {
  const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload)
  const member = (name: string): Json | undefined =>
    isObject && Object.hasOwn(payload, name) ? Reflect.get(payload, name) : undefined
  return stringify(member('text') ?? member('value') ?? payload)
}

function outputOf({ state, awaitOutput }: TerminalSpec, event: SemanticsSource): Outcome {
  if (awaitOutput === undefined) return wrapAsOutcome(state, event.payload)
  const value = select(awaitOutput, event.payload, problem => misfit(event, problem))
  const outcome = decodeOutcome(value) ?? wrapAsOutcome(state, value)
  if (outcome.status === state) return outcome
  throw misfit(event, `its type ends the process as ${state}, and its output says ${outcome.status}`)
}

function materializeWake(spec: WakeSpec, event: SemanticsSource): MaterializedWake | undefined {
  const pick = (selector: Selector): Json =>
    select(selector, event.payload, problem => misfit(event, problem))
  if (spec.when !== undefined && !isTruthy(pick(spec.when))) return undefined
  return { input: stringify(pick(spec.input)), dedupeKey: dedupeKeyOf(spec.dedupeKey, event, pick) }
}

function materializeWakeAnyway(spec: WakeSpec, event: SemanticsSource): MaterializedWake | undefined {
  try {
    return materializeWake(spec, event)
  } catch (error) {
    if (!isLeaseholdError(error, 'process_event_selector')) throw error
    return { input: textOfPayload(event.payload), dedupeKey: identityOf(event) }
  }
}

function dedupeKeyOf(
  spec: WakeSpec['dedupeKey'],
  event: SemanticsSource,
  pick: (selector: Selector) => Json,
): string {
  if (spec === undefined || spec === 'event_identity') return identityOf(event)
  return 'const' in spec ? spec.const : stringify(pick(spec.selector))
}

const identityOf = ({ processId, sequence }: SemanticsSource): string => `${processId}:${sequence}`

const misfit = ({ processId, eventType }: SemanticsSource, problem: string): LeaseholdError =>
  new LeaseholdError(
    'process_event_selector',
    `The event "${eventType}" does not fit what its type declares it to mean: ${problem}. Append a payload that fits, or change the declaration where its kind is defined.`,
    { processId, details: { eventType } },
  )

/** Most events mean nothing more: they store nothing. */
function compact({
  terminal,
  wake,
}: {
  [Member in keyof MaterializedSemantics]: MaterializedSemantics[Member] | undefined
}): MaterializedSemantics | undefined {
  if (terminal === undefined && wake === undefined) return undefined
  return { ...(terminal === undefined ? {} : { terminal }), ...(wake === undefined ? {} : { wake }) }
}
