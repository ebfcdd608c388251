import { randomUUID } from 'node:crypto'
import type { BeginAnswer, BeginAttemptRequest, BegunAttempt } from '../model/attempt.ts'
import type { DrainReport } from '../model/drain.ts'
import { LeaseholdError } from '../model/errors.ts'
import { otherProfile } from '../model/host-profile.ts'
import { type ProcessId, requireStableId } from '../model/ids.ts'
import type { DeathEvidence, ProcessLease } from '../model/lease.ts'
import type { Outcome, TerminalStatus } from '../model/outcome.ts'
import type { RegistrationRequest } from '../model/registration.ts'
import type { ProcessRegistry, StartResult } from '../registry/registry.ts'
import { contextOf, failSpan, failSpanBy, inSpan, SpanKind } from '../telemetry/spans.ts'
import { Attempt } from './attempt.ts'
import { apartFromOthers } from './attempt-context.ts'
import type { AttemptOptions } from './attempt-options.ts'
import type { AttemptResult } from './attempt-result.ts'
import { CancelWatch } from './cancel-watch.ts'
import { drainOwnerBound } from './drain.ts'
import { DrainTally } from './drain-tally.ts'
import type { ExecutionEnvironment } from './environment.ts'
import { clocks } from './lease-keeper.ts'
import { isProvablyDead } from './liveness.ts'
import type { WorkingSlot } from './working-slots.ts'

/** What driving a process once came to. */
export type RunAnswer =
  | { readonly type: 'done'; readonly status: TerminalStatus }
  | { readonly type: 'parked'; readonly untilMs?: number }
  | { readonly type: 'silent' }
  /** It is not its turn: it is due when it is. */
  | Extract<BeginAnswer, { readonly type: 'queued' }>
  | { readonly type: 'external' }
  | { readonly type: 'unknown' }
  | { readonly type: 'busy'; readonly holder: ProcessLease; readonly remainingMs: number }
  /** The worker shuts down; the lease was given back, or never taken. */
  | { readonly type: 'released' }
  /** Another attempt holds the process now. */
  | { readonly type: 'lost' }
  /** `retryInMs`: the back-off that is on the row; absent where even that could not be written. */
  | { readonly type: 'store_failed'; readonly error: unknown; readonly retryInMs?: number }

export interface RunOptions {
  /** The backend's handle on this attempt, for others to fail should this worker die. */
  readonly backendToken?: string
  /** At each renewal of the lease, and as often while it waits for a working slot: the backend's heartbeat. */
  readonly onRenewed?: () => void
  /** Fires when the worker has to stop. */
  readonly shutdown?: AbortSignal
  /**
   * Known to be rerunnable: whether its last holder is dead is asked only where that one is in the way. Default false: it
   * is asked before, since it may say what became of an owner-bound process.
   */
  readonly isRerunnable?: boolean
  /** Called with what the registry answered, before anything runs. */
  readonly onBegun?: (answer: BeginAnswer) => void
  /** Called with a function that looks for a cancel at once. */
  readonly onCheckCancel?: (check: () => void) => void
}

export interface RunNewOptions extends Omit<RunOptions, 'backendToken' | 'isRerunnable' | 'onBegun'> {
  readonly register?: Parameters<ProcessRegistry['registerAndBegin']>[2]
  /** Called as soon as the process is there. */
  readonly onRegistered: (result: StartResult) => void
}

/** Drives processes one attempt at a time, each under its own lease. The same with and without Temporal. */
export class ProcessRunner {
  readonly #environment: ExecutionEnvironment
  readonly #running = new Map<string, Attempt>()
  /** Owner-bound processes begun here that have no outcome yet, for all that this worker knows. */
  readonly #bound = new Set<ProcessId>()
  readonly #tally = new DrainTally()

  constructor(environment: ExecutionEnvironment) {
    this.#environment = environment
  }

  /** Processes that this worker is running now. */
  get runningIds(): readonly string[] {
    return [...this.#running.keys()]
  }

  /** The worker stops: what becomes of its attempts from now on is counted. */
  beginDrain(): void {
    this.#tally.open()
  }

  /** Call when no attempt runs any more. May be called twice. */
  finishDrain(): Promise<DrainReport> {
    return drainOwnerBound(this.#environment, [...this.#bound], this.#tally)
  }

  /** One attempt, from its working slot on: a process that is waiting for one holds no lease. */
  async run(id: string, options: RunOptions = {}): Promise<RunAnswer> {
    requireStableId(id)
    const slot = await this.#takeSlot(options)
    if (slot === undefined) return { type: 'released' }
    try {
      return await this.#drive(id, options, slot)
    } finally {
      slot.end()
    }
  }

  /**
   * Registers a process and makes its first attempt, both begun in one transaction. Resolves with the outcome that the
   * attempt has written; `undefined`: none, or nothing was begun.
   */
  async runNew(
    registration: RegistrationRequest,
    { onRegistered, register, ...options }: RunNewOptions,
  ): Promise<Outcome | undefined> {
    const { registry, logger } = this.#environment
    const slot = await this.#takeSlot(options)
    if (slot === undefined) throw new LeaseholdError('worker_shutdown', 'The worker has shut down.')
    // It listens before the process is there, so that no cancel can be missed, and none has to be looked for.
    const cancelWatch = new CancelWatch(registry, registration.id, logger)
    try {
      cancelWatch.listen()
      const sentAt = clocks()
      const result = await registry.registerAndBegin(registration, this.#beginRequest(), register)
      onRegistered(result)
      if (result.begun === undefined) return undefined
      const end = await this.#runAttempt(result.begun, { sentAt, slot, cancelWatch }, options)
      return end.type === 'ended' ? end.outcome : undefined
    } finally {
      cancelWatch.stop()
      slot.end()
    }
  }

  /** For what nobody runs here: writes the outcome that is due, if there is one. Takes no slot. */
  async settle(id: string): Promise<void> {
    const answer = await this.#begin(id, {})
    if (answer.type !== 'settle') return
    await this.#environment.registry.completeWithLease(answer.lease, answer.outcome)
  }

  async #drive(id: string, options: RunOptions, slot: WorkingSlot): Promise<RunAnswer> {
    // After a pause of the machine the backend may hand out again what still runs here: that attempt goes first.
    await this.#running.get(id)?.ensureLease()
    const { registry, logger } = this.#environment
    const cancelWatch = new CancelWatch(registry, id, logger)
    try {
      cancelWatch.listen()
      const sentAt = clocks()
      const answer = await this.#begin(id, options)
      options.onBegun?.(answer)
      if (answer.type !== 'run') return await this.#end(id, answer)
      return answerOf(await this.#runAttempt(answer, { sentAt, slot, cancelWatch }, options))
    } finally {
      cancelWatch.stop()
    }
  }

  /** What is left to do where no code is to run. */
  async #end(id: string, answer: Exclude<BeginAnswer, BegunAttempt>): Promise<RunAnswer> {
    switch (answer.type) {
      case 'settle': {
        const record = await this.#environment.registry.completeWithLease(answer.lease, answer.outcome)
        return { type: 'done', status: record.outcome?.status ?? answer.outcome.status }
      }
      case 'terminal':
        return { type: 'done', status: answer.status }
      case 'other_profile':
        throw otherProfile(id, answer.recorded, this.#environment.host.profileId)
      default:
        return answer
    }
  }

  /** `undefined`: the worker stops before it is this process's turn. */
  async #takeSlot({ onRenewed, shutdown }: RunOptions): Promise<WorkingSlot | undefined> {
    const { slots, timings } = this.#environment
    const heartbeat = setInterval(() => onRenewed?.(), timings.renewIntervalMs)
    try {
      return await slots.take(shutdown)
    } catch (error) {
      if (shutdown?.aborted) return undefined
      throw error
    } finally {
      clearInterval(heartbeat)
    }
  }

  async #begin(id: string, { backendToken, isRerunnable = false }: RunOptions): Promise<BeginAnswer> {
    const { registry, worker } = this.#environment
    const request = { ...this.#beginRequest(), ...(backendToken === undefined ? {} : { backendToken }) }
    const begin = (evidence: DeathEvidence | undefined) =>
      registry.beginAttempt(id, evidence === undefined ? request : { ...request, evidence })
    if (!isRerunnable) return begin(await this.#deathEvidence(id))
    const answer = await begin(undefined)
    if (answer.type !== 'busy' || !isProvablyDead(answer.holder.owner, worker)) return answer
    const { owner, fencingToken } = answer.holder
    return begin({ incarnationId: owner.incarnationId, fence: fencingToken })
  }

  #beginRequest(): BeginAttemptRequest {
    const { worker, timings, host } = this.#environment
    return {
      worker,
      attempt: randomUUID(),
      ttlMs: timings.ttlMs,
      ...(host.profileId === undefined ? {} : { hostProfileId: host.profileId }),
    }
  }

  /** Asked before the transaction, of the operating system; it names the holder that it speaks of. */
  async #deathEvidence(id: string): Promise<DeathEvidence | undefined> {
    const { registry, worker } = this.#environment
    const last = await registry.lastHolder(id)
    return last !== undefined && isProvablyDead(last.owner, worker) ? last.evidence : undefined
  }

  #runAttempt(
    begun: BegunAttempt,
    given: Omit<AttemptOptions, 'onRenewed' | 'traced'>,
    options: RunOptions,
  ): Promise<AttemptResult> {
    const { worker, instruments } = this.#environment
    const { id, attempts, identity } = begun.process.record
    const attributes = {
      'leasehold.process.id': id,
      'leasehold.kind': identity.kind,
      'leasehold.attempt': attempts,
      'leasehold.worker.id': worker.ownerId,
    }
    const request = { attributes, kind: SpanKind.CONSUMER, parent: contextOf(begun.process.traceparent) }
    return apartFromOthers(() =>
      inSpan('leasehold.attempt', request, async (span, traced) => {
        const result = await this.#runTraced(begun, { ...given, traced }, options)
        const outcome = result.type === 'ended' ? result.outcome.status : result.type
        span.setAttribute('leasehold.outcome', outcome)
        if (result.type === 'ended' && result.outcome.status === 'failed')
          failSpanBy(span, result.outcome.code)
        else if (result.type === 'store_failed') failSpan(span, result.error)
        instruments.attempts.add(1, { kind: identity.kind, outcome })
        if (result.type === 'lost') instruments.leaseLosses.add(1, { kind: identity.kind })
        return result
      }),
    )
  }

  async #runTraced(
    begun: BegunAttempt,
    given: Omit<AttemptOptions, 'onRenewed'>,
    options: RunOptions,
  ): Promise<AttemptResult> {
    const { id, disposition } = begun.process.record
    const { onRenewed = () => {}, shutdown } = options
    const attempt = new Attempt(this.#environment, begun, { ...given, onRenewed })
    const onShutdown = () => attempt.shutDown()
    shutdown?.addEventListener('abort', onShutdown, { once: true })
    if (shutdown?.aborted) onShutdown()
    options.onCheckCancel?.(() => attempt.checkCancel())
    this.#running.set(id, attempt)
    if (disposition === 'owner_bound') this.#bound.add(id)
    try {
      const result = await attempt.run()
      if (result.type === 'ended') this.#bound.delete(id)
      this.#tally.note(id, result)
      return result
    } finally {
      shutdown?.removeEventListener('abort', onShutdown)
      // A newer attempt of the same process may stand here by now.
      if (this.#running.get(id) === attempt) this.#running.delete(id)
    }
  }
}

/** Without the outcome, which is the process's own: an answer may stand in a log or in a backend's history. */
const answerOf = (result: AttemptResult): RunAnswer =>
  result.type === 'ended' ? { type: 'done', status: result.outcome.status } : result
