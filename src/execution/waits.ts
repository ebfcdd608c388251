import { isLeaseholdError, LeaseholdError } from '../model/errors.ts'
import type { ProcessEvent } from '../model/event.ts'
import { asJson, type Json } from '../model/json.ts'
import type { Outcome } from '../model/outcome.ts'
import type { ToolCallAnswer } from '../model/pending-call.ts'
import type { ProcessRecord } from '../model/process.ts'
import { requireSignalName, signalEventType, signalWaitKey } from '../model/signal.ts'
import { isInTime, timerKey, type WaitCondition, waitKey } from '../model/wait.ts'
import { isEnd } from '../registry/awaiter.ts'
import type { EventWaitOptions, ReceivedSignal, WaitOptions } from '../runtime/context.ts'
import type { Call } from './journal-session.ts'
import { type Times, WaitRunner, type WaitRunnerParts, written } from './wait-runner.ts'

/** What a wait that timed out has in the journal; nothing that is waited for comes to it. */
const TIMED_OUT = null

/** The waits that code can make: each says what it looks for, and how that is journaled. */
export class Waits {
  readonly #record: ProcessRecord
  readonly #parts: WaitRunnerParts
  readonly #runner: WaitRunner
  /** Ordinals given out in this attempt, by signal. */
  readonly #ordinals = new Map<string, number>()

  constructor(record: ProcessRecord, parts: WaitRunnerParts) {
    this.#record = record
    this.#parts = parts
    this.#runner = new WaitRunner(parts)
  }

  async sleep(duration: number | Date, key: string | undefined): Promise<void> {
    const { journal } = this.#parts
    await this.#during({ kind: 'sleep', name: 'sleep', key }, call =>
      this.#runner.run<never>(call, {
        begin: () => {
          const sinceMs = journal.now()
          return { sinceMs, untilMs: duration instanceof Date ? duration.getTime() : sinceMs + duration }
        },
        key: () => timerKey(this.#record.id, journal.epoch, call.address),
        on: { type: 'timer' },
        look: async () => undefined,
        take: async () => undefined,
        timedOut: times => asJson(times),
      }),
    )
  }

  async signal(name: string, { timeout, key }: WaitOptions): Promise<ReceivedSignal | undefined> {
    const { registry, journal } = this.#parts
    const { id } = this.#record
    const eventType = requireDeclaredSignal(this.#record, name)
    const value = await this.#during({ kind: 'signal', name: eventType, key }, call =>
      this.#runner.run<ProcessEvent>(call, {
        begin: () => ({ ...timesFrom(journal.now(), timeout), ordinal: this.#nextOrdinal(eventType) }),
        key: ({ ordinal = 0 }) => signalWaitKey(id, name, { epoch: journal.epoch, ordinal }),
        on: { type: 'signal', name },
        watchedId: id,
        look: async untilMs => {
          const signal = await registry.nextSignal(id, name)
          return signal !== undefined && isInTime(signal, untilMs) ? signal : undefined
        },
        take: (_, untilMs) =>
          journal.consumeSignal(call, { name, ...(untilMs === undefined ? {} : { untilMs }) }),
        timedOut: () => TIMED_OUT,
      }),
    )
    return value === TIMED_OUT ? undefined : written<ReceivedSignal>(value)
  }

  async event(
    processId: string,
    eventType: string,
    { after = 0, timeout, key }: EventWaitOptions,
  ): Promise<ProcessEvent | undefined> {
    const { registry } = this.#parts
    const on = { type: 'event', processId, eventType, after } as const
    const find = async (untilMs: number | undefined) => {
      const event = await registry.findEvent(processId, eventType, after)
      return event !== undefined && isInTime(event, untilMs) ? asJson(event) : undefined
    }
    const subject = `${processId} ${eventType} ${after}`
    const value = await this.#awaitOther('event', { on, subject, key, timeout, find })
    return value === TIMED_OUT ? undefined : written<ProcessEvent>(value)
  }

  async outcome(processId: string, { timeout, key }: WaitOptions): Promise<Outcome | undefined> {
    const { registry } = this.#parts
    const on = { type: 'process', processId } as const
    const find = async () => {
      const awaited = await registry.requireRecord(processId)
      return awaited.outcome && asJson(awaited.outcome)
    }
    const value = await this.#awaitOther('outcome', { on, subject: processId, key, timeout, find })
    return value === TIMED_OUT ? undefined : written<Outcome>(value)
  }

  /** Of a call that this process has opened. The deadline is the call's own, for the registry takes no answer after it. */
  async answer(key: string, untilMs: number | undefined): Promise<ToolCallAnswer | undefined> {
    const { registry, journal } = this.#parts
    const { id } = this.#record
    const value = await this.#during({ kind: 'answer', name: 'answer', key }, call =>
      this.#runner.run<ToolCallAnswer>(call, {
        begin: () => ({ sinceMs: journal.now(), ...(untilMs === undefined ? {} : { untilMs }) }),
        key: () => waitKey(id, journal.epoch, call.address),
        on: { type: 'external_key', key },
        watchedId: id,
        look: async () => (await registry.pendingCall(key))?.answer,
        take: answer => journal.saveValue(call, asJson(answer)),
        timedOut: () => TIMED_OUT,
      }),
    )
    return value === TIMED_OUT ? undefined : written<ToolCallAnswer>(value)
  }

  /** A wait for what another process does. Without a key it is known by what it is for, so that many may be made at once. */
  #awaitOther(kind: 'event' | 'outcome', other: OtherWait): Promise<Json> {
    const { journal } = this.#parts
    const { on, subject, timeout, find } = other
    const key = other.key ?? journal.nextKey(kind, subject)
    return this.#during({ kind, name: kind, key, input: asJson(on) }, call =>
      this.#runner.run<FoundOrNot>(call, {
        begin: () => timesFrom(journal.now(), timeout),
        key: () => waitKey(this.#record.id, journal.epoch, call.address),
        on,
        watchedId: on.processId,
        ...(kind === 'outcome' ? { concerns: isEnd } : {}),
        look: untilMs => findOrNot(() => find(untilMs)),
        take: async found => {
          if (found.type === 'unknown') throw found.error
          await journal.saveValue(call, found.value)
          return found.value
        },
        timedOut: () => TIMED_OUT,
      }),
    )
  }

  async #during<T>({ kind, name, key, input }: WaitCall, wait: (call: Call) => Promise<T>): Promise<T> {
    const { journal, parking } = this.#parts
    return parking.during(async () => {
      const call = journal.open(name, { kind, effect: 'repeatable', key, input })
      try {
        return await wait(call)
      } finally {
        journal.close(name, kind)
      }
    })
  }

  /** Above all that stand in the journal, so that no two waits are told under one key. */
  #nextOrdinal(eventType: string): number {
    const ordinal = (this.#ordinals.get(eventType) ?? this.#parts.journal.countOf('signal', eventType)) + 1
    this.#ordinals.set(eventType, ordinal)
    return ordinal
  }
}

interface WaitCall {
  readonly kind: 'sleep' | 'signal' | 'event' | 'outcome' | 'answer'
  readonly name: string
  readonly key: string | undefined
  readonly input?: Json
}

interface OtherWait {
  readonly on: Extract<WaitCondition, { readonly processId: string }>
  /** What is waited for, in a word. */
  readonly subject: string
  readonly key: string | undefined
  readonly timeout: number | undefined
  readonly find: (untilMs: number | undefined) => Promise<Json | undefined>
}

type FoundOrNot =
  | { readonly type: 'found'; readonly value: Json }
  | { readonly type: 'unknown'; readonly error: Error }

/** A process that is not there, or no longer, is an answer: nobody should wait for it. */
async function findOrNot(find: () => Promise<Json | undefined>): Promise<FoundOrNot | undefined> {
  try {
    const value = await find()
    return value === undefined ? undefined : { type: 'found', value }
  } catch (error) {
    const isAbsent =
      isLeaseholdError(error, 'process_unknown') || isLeaseholdError(error, 'process_no_longer_retained')
    if (isAbsent) return { type: 'unknown', error }
    throw error
  }
}

function timesFrom(sinceMs: number, timeout: number | undefined): Times {
  if (timeout === undefined) return { sinceMs }
  if (!Number.isFinite(timeout))
    throw new RangeError(`A wait's timeout is a number of milliseconds; found ${timeout}.`)
  return { sinceMs, untilMs: sinceMs + timeout }
}

/** A signal that the process does not declare could never come. */
function requireDeclaredSignal({ id, eventTypes }: ProcessRecord, name: string): string {
  requireSignalName(id, name)
  const eventType = signalEventType(name)
  if (eventTypes.some(type => type.name === eventType)) return eventType
  throw new LeaseholdError(
    'process_event_undeclared',
    `Process "${id}" waits for signal "${name}" and does not declare it. Add "${eventType}" to the events of its kind.`,
    { processId: id, details: { eventType } },
  )
}
