import { LeaseholdError } from '../model/errors.ts'
import type { ProcessEvent } from '../model/event.ts'
import type { ProcessId } from '../model/ids.ts'
import {
  decideStep,
  isSettled,
  type JournalEntry,
  nameOf,
  operationIdOf,
  requireAllVisited,
  requireStepName,
  type StepDecision,
  type StepEffect,
  stepAddress,
  stepDigest,
  unknownEffects,
} from '../model/journal.ts'
import type { Json } from '../model/json.ts'
import type { ProcessLease } from '../model/lease.ts'
import type { StoredProcess } from '../model/process.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { AttemptScope } from './attempt-scope.ts'
import type { LeaseKeeper } from './lease-keeper.ts'

export interface Call {
  readonly address: string
  readonly digest: string
  readonly operationId: string
  readonly kind: JournalEntry['kind']
  readonly effect: StepEffect
  /** When the code made it: an entry that is written only when the work is done says how long that took. */
  readonly startedAtMs: number
}

interface CallOptions {
  readonly kind: JournalEntry['kind']
  readonly effect: StepEffect
  readonly key?: string | undefined
  readonly input?: Json | undefined
}

/** One attempt's view of the journal: what is there, what the code has visited, and how the rest is written. */
export class JournalSession {
  readonly #process: { readonly id: ProcessId; readonly incarnation: string; readonly epoch: number }
  readonly #entries: Map<string, JournalEntry>
  readonly #registry: ProcessRegistry
  readonly #keeper: LeaseKeeper
  readonly #scope: AttemptScope
  readonly #visited = new Set<string>()
  readonly #occurrences = new Map<string, number>()
  readonly #inFlight = new Set<string>()
  readonly #digests = new Map<string, string>()
  #position: number

  constructor(
    process: StoredProcess,
    entries: readonly JournalEntry[],
    attempt: {
      readonly registry: ProcessRegistry
      readonly keeper: LeaseKeeper
      readonly scope: AttemptScope
    },
  ) {
    const { id, incarnation } = process.record
    this.#process = { id, incarnation, epoch: process.epoch }
    this.#entries = new Map(entries.map(entry => [entry.address, entry]))
    this.#position = entries.at(-1)?.position ?? 0
    this.#registry = attempt.registry
    this.#keeper = attempt.keeper
    this.#scope = attempt.scope
  }

  get epoch(): number {
    return this.#process.epoch
  }

  get processId(): ProcessId {
    return this.#process.id
  }

  /** The registry's time, whatever this host's clock shows. */
  now(): number {
    return this.#keeper.now()
  }

  /** This attempt's incarnation: entries that bear it are its own. */
  get attempt(): string {
    return this.#keeper.lease.owner.incarnationId
  }

  /**
   * Addresses a call and holds its place until `close`. Without a key the address is the occurrence, which parallel
   * code would not give the same way twice: so two of one name may not be in flight together.
   */
  open(name: string, options: CallOptions): Call {
    const { kind, effect, key } = options
    requireStepName(name, key, this.#process.id)
    const lane = `${kind} ${name}`
    if (key === undefined && this.#inFlight.has(lane)) throw this.#keyRequired(name)
    const occurrence = key === undefined ? (this.#occurrences.get(lane) ?? 0) + 1 : 0
    const address = stepAddress(name, key, occurrence)
    if (this.#visited.has(address)) throw this.#keyRequired(name, key)
    if (key === undefined) {
      this.#occurrences.set(lane, occurrence)
      this.#inFlight.add(lane)
    }
    this.#visited.add(address)
    const digest = this.#digestOf(options)
    const process = this.#process
    let operationId: string | undefined
    return {
      address,
      digest,
      // Only for what is done now: what the journal knows costs no second hash.
      get operationId() {
        operationId ??= operationIdOf(process, address)
        return operationId
      },
      kind,
      effect,
      startedAtMs: Date.now(),
    }
  }

  /** Calls without key and input, which is most of a long journal, have one digest for all. */
  #digestOf({ kind, effect, key, input }: CallOptions): string {
    if (key !== undefined || input !== undefined) {
      const asked = { ...(key === undefined ? {} : { key }), ...(input === undefined ? {} : { input }) }
      return stepDigest({ kind, effect, ...asked })
    }
    const lane = `${kind} ${effect}`
    const digest = this.#digests.get(lane) ?? stepDigest({ kind, effect })
    this.#digests.set(lane, digest)
    return digest
  }

  /** What the journal says about the call. */
  decide({ address, digest }: Call): StepDecision {
    return decideStep(this.#entries.get(address), { processId: this.#process.id, address, digest })
  }

  /** The key of a call that is known by what it is about: the n-th about that, in whatever order the others come. */
  nextKey(kind: JournalEntry['kind'], subject: string): string {
    const lane = `${kind} about ${subject}`
    const occurrence = (this.#occurrences.get(lane) ?? 0) + 1
    this.#occurrences.set(lane, occurrence)
    return occurrence === 1 ? subject : `${subject}#${occurrence}`
  }

  /** How many calls of the name the journal holds. */
  countOf(kind: JournalEntry['kind'], name: string): number {
    let count = 0
    for (const entry of this.#entries.values()) {
      if (entry.kind === kind && nameOf(entry.address) === name) count++
    }
    return count
  }

  /** The call has its answer: the next one of its name may come. */
  close(name: string, kind: JournalEntry['kind']): void {
    this.#inFlight.delete(`${kind} ${name}`)
  }

  /** Will the step's code not run again? */
  isSettled(address: string): boolean {
    const entry = this.#entries.get(address)
    return entry !== undefined && isSettled(entry)
  }

  entry(address: string): JournalEntry | undefined {
    return this.#entries.get(address)
  }

  /** An entry for this call at its place; one that exists keeps its position and start. */
  draft(call: Call, rest: Pick<JournalEntry, 'status'> & Partial<JournalEntry>): JournalEntry {
    const known = this.#entries.get(call.address)
    return {
      processId: this.#process.id,
      epoch: this.#process.epoch,
      position: known?.position ?? ++this.#position,
      ...call,
      attempt: this.attempt,
      fence: this.#keeper.lease.fencingToken,
      startedAtMs: known?.startedAtMs ?? call.startedAtMs,
      // Of a step that runs again because it was not done: who said so.
      ...(known?.resolution === undefined ? {} : { resolution: known.resolution }),
      ...rest,
    }
  }

  /** A write of the attempt's under its lease; see `AttemptScope.write`. */
  write<T>(write: (lease: ProcessLease) => Promise<T>): Promise<T> {
    return this.#scope.write(this.#keeper, write)
  }

  async save(entry: JournalEntry): Promise<JournalEntry> {
    await this.#scope.write(this.#keeper, lease =>
      this.#registry.saveJournalEntry(lease, { ...entry, fence: lease.fencingToken }),
    )
    this.#entries.set(entry.address, entry)
    return entry
  }

  /** The entry as somebody outside has resolved it; `undefined` while nobody has. */
  async readResolved(address: string): Promise<JournalEntry | undefined> {
    const entry = await this.#registry.journalEntry(this.#process.id, address)
    if (entry?.status !== 'done' && entry?.status !== 'not_done') return undefined
    this.#entries.set(address, entry)
    return entry
  }

  /** Journals the answer of a call. */
  async saveValue(call: Call, value: Json): Promise<Json> {
    await this.save(this.draft(call, { status: 'done', value, endedAtMs: Date.now() }))
    return value
  }

  async emit(
    entry: JournalEntry,
    request: { eventType: string; payload: Json; replayKey: string },
  ): Promise<ProcessEvent> {
    const { event } = await this.#scope.write(this.#keeper, lease =>
      this.#registry.emit(lease, entry, request),
    )
    this.#entries.set(entry.address, { ...entry, value: { sequence: event.sequence } })
    return event
  }

  /** Takes a signal for this call, and journals what it says. `undefined`: there is none. */
  async consumeSignal(call: Call, wanted: { name: string; untilMs?: number }): Promise<Json | undefined> {
    const { value: _, ...entry } = this.draft(call, { status: 'done', endedAtMs: Date.now() })
    const answer = await this.#scope.write(this.#keeper, lease =>
      this.#registry.consumeSignal(lease, { ...entry, fence: lease.fencingToken }, wanted),
    )
    if (answer.type === 'none') return undefined
    this.#entries.set(call.address, answer.entry)
    return answer.entry.value ?? null
  }

  /** Throws `step_diverged` if a journaled `once` step was not visited. */
  requireAllVisited(): void {
    requireAllVisited(this.#process.id, this.#entries.values(), this.#visited)
  }

  unknownEffects(): ReturnType<typeof unknownEffects> {
    return unknownEffects(this.#entries.values())
  }

  #keyRequired(name: string, key?: string): LeaseholdError {
    const found =
      key === undefined ? 'another one without a key is in flight' : `the key "${key}" was used before`
    return new LeaseholdError(
      'step_key_required',
      `Step "${name}" of process "${this.#process.id}" needs a key of its own: ${found}. Give each call { key } that says what it is about.`,
      { processId: this.#process.id, details: { step: name } },
    )
  }
}
