import { isLeaseholdError, isTransient, messageOf } from '../model/errors.ts'
import { childId } from '../model/ids.ts'
import { type JournalEntry, keyOf, nameOf } from '../model/journal.ts'
import { asJson, type Json, toJson } from '../model/json.ts'
import type { ProcessLease } from '../model/lease.ts'
import type { ProcessRecord } from '../model/process.ts'
import type { ChangeResult } from '../registry/registry.ts'
import { captureEnvironment } from '../runtime/environment.ts'
import { type AnyStart, type PreparedStart, prepareStart } from '../runtime/start-request.ts'
import { activeSpan, traceparentOf } from '../telemetry/spans.ts'
import type { ExecutionEnvironment } from './environment.ts'
import type { Call, JournalSession } from './journal-session.ts'
import type { Parking } from './parking.ts'
import { describeFailure, stepFailed } from './step-failure.ts'
import { submissionOf } from './submit.ts'
import { written } from './wait-runner.ts'

export interface OtherProcessesParts {
  readonly environment: ExecutionEnvironment
  readonly journal: JournalSession
  readonly parking: Parking
}

/**
 * What code does to other processes. Each is idempotent in the registry by an id that is the same at every attempt, and
 * journaled, so that it is done once; what the registry refuses is journaled too, and thrown again at each replay.
 */
export class OtherProcesses {
  readonly #record: ProcessRecord
  readonly #parts: OtherProcessesParts

  constructor(record: ProcessRecord, parts: OtherProcessesParts) {
    this.#record = record
    this.#parts = parts
  }

  async start(request: AnyStart, key: string | undefined): Promise<StartAnswer> {
    const { journal } = this.#parts
    const name = `start.${request.kind.replaceAll(/[[\]#]/g, '_')}`
    const about = key ?? (request.id === undefined ? undefined : journal.nextKey('start', request.id))
    const value = await this.#once(
      { kind: 'start', name, key: about, input: described(request) },
      (call, lease) => this.#start(request, call, lease),
    )
    return written(value)
  }

  async cancel(id: string, reason: string | undefined): Promise<void> {
    const { registry } = this.#parts.environment
    await this.#change('cancel', id, { reason: reason ?? null }, () => registry.requestCancel(id, reason))
  }

  async signal(id: string, name: string, payload: Json): Promise<void> {
    const { registry } = this.#parts.environment
    await this.#change('send', id, { name, payload }, signalId =>
      registry.signal(id, name, payload, { signalId }),
    )
  }

  async #start(request: AnyStart, call: Call, lease: ProcessLease): Promise<Done> {
    const { environment, journal } = this.#parts
    const { host, registry, submit } = environment
    const { provenance, wakeTarget } = this.#record
    const id = request.id ?? this.#childId(call.address)
    const prepared = await prepareStart(host, { ...request, id })
    const { registration } = prepared
    const child = {
      ...registration,
      ...(await this.#envRef(request, prepared)),
      // The session that had this process started is the one that hears of its children.
      ...(wakeTarget === undefined ? {} : { wakeTarget }),
      provenance: {
        ...registration.provenance,
        originator: provenance.originator,
        causedBy: { type: 'process', processId: this.#record.id } as const,
      },
    }
    const entry = {
      ...journal.draft(call, { status: 'done', endedAtMs: Date.now() }),
      fence: lease.fencingToken,
    }
    const turnOf = await this.#placeOf(request, registration)
    const traceparent = traceparentOf(activeSpan())
    const { type, record } = await registry.register(child, {
      ...(traceparent === undefined ? {} : { traceparent }),
      sameId: 'request',
      reuse: request.reuse ?? false,
      isDueAtOnce: submit === undefined,
      journal: { lease, entry },
      ...(turnOf === undefined ? {} : { turnOf }),
      ...(wakeTarget === undefined ? {} : { grant: { scope: wakeTarget } }),
    })
    const started = type === 'registered'
    return {
      value: { id: record.id, started },
      isJournaled: true,
      ...(started || record.externalRef === undefined ? { toSubmit: record } : {}),
    }
  }

  /**
   * The session that a turn waits for. One that is named after the turn is its own, and made here: whoever has something
   * to say in it finds it there, and this turn before him.
   */
  async #placeOf(
    { turnOf }: AnyStart,
    { id, input }: PreparedStart['registration'],
  ): Promise<string | undefined> {
    if (turnOf === undefined || turnOf !== id || input.type !== 'session_turn') return turnOf
    const { host, registry } = this.#parts.environment
    // A store of the host's own has no line.
    if (host.stores?.sessions !== undefined) return undefined
    const { policy = {}, pluginOptions = {} } = input.createRequest
    const causedBy = { type: 'process', processId: id } as const
    await registry.createSession({ sessionId: turnOf, policy, pluginOptions, causedBy })
    return turnOf
  }

  #childId(address: string): string {
    const name = nameOf(address).slice('start.'.length)
    return childId(this.#record.id, { name, key: keyOf(address), epoch: this.#parts.journal.epoch })
  }

  /** A child runs with what its parent was started with, not with what the host has become since. */
  async #envRef(request: AnyStart, { environment }: PreparedStart): Promise<{ readonly envRef?: string }> {
    if (environment === undefined) return {}
    const { envRef } = this.#record
    if (request.env === undefined && envRef !== undefined) return { envRef }
    return { envRef: await captureEnvironment(this.#parts.environment.environments, environment) }
  }

  async #change(
    kind: 'cancel' | 'send',
    id: string,
    input: Json,
    change: (operationId: string) => Promise<ChangeResult>,
  ): Promise<void> {
    const key = this.#parts.journal.nextKey(kind, id)
    await this.#once({ kind, name: kind, key, input }, async call => {
      const { record, isDue } = await change(call.operationId)
      return { value: null, isJournaled: false, ...(isDue ? { toSubmit: record } : {}) }
    })
  }

  async #once({ kind, name, key, input }: OnceCall, work: Work): Promise<Json> {
    const { journal, parking } = this.#parts
    return parking.during(async () => {
      const call = journal.open(name, { kind, effect: 'repeatable', key, input })
      try {
        const decision = journal.decide(call)
        if (decision.type === 'value') return decision.value
        if (decision.type === 'failure') throw stepFailed(call, decision.failure)
        return await this.#work(call, work)
      } finally {
        journal.close(name, kind)
      }
    })
  }

  async #work(call: Call, work: Work): Promise<Json> {
    const { journal } = this.#parts
    const done = await journal.write(lease => refusalAsValue(() => work(call, lease)))
    if (done instanceof Refusal) {
      const failure = describeFailure(done.error)
      await journal.save(journal.draft(call, { status: 'failed', failure, endedAtMs: Date.now() }))
      throw stepFailed(call, failure, done.error)
    }
    if (done.toSubmit !== undefined) await this.#submit(done.toSubmit)
    return done.isJournaled ? done.value : journal.saveValue(call, done.value)
  }

  /** Best effort: the row is due, and the sweep submits it. */
  async #submit(record: ProcessRecord): Promise<void> {
    const { submit, logger } = this.#parts.environment
    if (submit === undefined || record.disposition === 'externally_owned' || record.status !== 'running')
      return
    try {
      await submit(submissionOf(record))
    } catch (error) {
      logger.info('not submitted; the sweep does it', { submittedId: record.id, error: messageOf(error) })
    }
  }
}

export interface StartAnswer {
  readonly id: string
  readonly started: boolean
}

interface OnceCall {
  readonly kind: Extract<JournalEntry['kind'], 'start' | 'cancel' | 'send'>
  readonly name: string
  readonly key: string | undefined
  readonly input: Json
}

type Work = (call: Call, lease: ProcessLease) => Promise<Done>

interface Done {
  readonly value: Json
  /** In the transaction of the work itself. */
  readonly isJournaled: boolean
  readonly toSubmit?: ProcessRecord
}

/** What is wrong with the request, as opposed to the store or the lease: the same request is refused again. */
class Refusal {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

async function refusalAsValue(work: () => Promise<Done>): Promise<Done | Refusal> {
  try {
    return await work()
  } catch (error) {
    if (isTroubleOfTheAttempt(error)) throw error
    return new Refusal(error)
  }
}

const isTroubleOfTheAttempt = (error: unknown): boolean =>
  isLeaseholdError(error) &&
  (isTransient(error) ||
    error.code.startsWith('registry_') ||
    error.code === 'process_lease_lost' ||
    error.code === 'process_epoch_conflict')

/** What a start asks for, for comparison with the journal. */
function described({ kind, input, disposition }: AnyStart): Json {
  const given = toJson(input)
  return asJson({ kind, input: given.ok ? given.json : null, disposition: disposition ?? null })
}
