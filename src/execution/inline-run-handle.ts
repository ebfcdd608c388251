import { isTransient, messageOf } from '../model/errors.ts'
import { hasTurns } from '../model/flow.ts'
import type { Outcome } from '../model/outcome.ts'
import type { StoredProcess } from '../model/process.ts'
import type { RegistrationRequest } from '../model/registration.ts'
import type { ProcessRegistry, RegisterResult, StartResult } from '../registry/registry.ts'
import { DueWatch, REGULAR_PASS_MS } from './due-watch.ts'
import type { ExecutionEnvironment } from './environment.ts'
import type { ProcessRunner } from './runner.ts'
import { type ProcessRunHandle, type Submission, submissionOf } from './submit.ts'

export interface InlineRunHandleOptions {
  /** Fires when running processes have to stop. Default: never. */
  readonly shutdown?: AbortSignal
}

/** A process that was registered here. `ended`: what its first attempt comes to, where that runs here. */
export interface StartedHere extends RegisterResult {
  /** `undefined`: the attempt ended without an outcome, which the process then gets elsewhere or later. Never rejects. */
  readonly ended?: Promise<Outcome | undefined>
}

type Seen = Omit<Submission, 'id'>

/** A drive by hand lists no more rows than this at a time; the others come up as soon as one of them has ended. */
const BATCH = 1_000

/**
 * Runs processes in this OS process. The registry's worklist is the only queue: each worker takes what is due for as long
 * as it has room, and of several who reach for one row its lease lets one have it. So any number of them, in any number
 * of OS processes, share the work, and what one leaves undone the others find due.
 *
 *   start, submit ──▶ room? ── begin ── run ──▶ the attempt, to its end ──▶ room again
 *   a change, a due time, each second ──▲ │                                     │
 *                                         └── parked, busy, terminal, … : no room taken
 */
export class InlineRunHandle implements ProcessRunHandle {
  readonly #environment: ExecutionEnvironment
  readonly #runner: ProcessRunner
  readonly #options: InlineRunHandleOptions
  readonly #watch: DueWatch
  readonly #tasks = new Map<string, Promise<void>>()
  /** A due row was left, for want of room or because it was still running here: to be looked at when a run ends. */
  #isMoreLeft = false
  #isDraining = false
  #unsubscribe: (() => void) | undefined

  constructor(
    environment: ExecutionEnvironment,
    runner: ProcessRunner,
    options: InlineRunHandleOptions = {},
  ) {
    this.#environment = environment
    this.#runner = runner
    this.#options = options
    this.#watch = new DueWatch(environment.registry, {
      pass: () => this.#takeDue(),
      // What runs here makes changes of its own, and none of them is due while it does.
      isOfInterest: id => !this.#tasks.has(id),
    })
  }

  /** From now on it takes what is due by itself. Without this it runs only what it is handed. */
  start(): void {
    // Whoever rests makes room as well.
    this.#unsubscribe ??= this.#environment.slots.subscribe(() => this.#lookForMore())
    this.#watch.start()
  }

  /** Takes nothing more, and resolves when what runs here has ended. */
  async drain(): Promise<void> {
    this.#isDraining = true
    this.#unsubscribe?.()
    await this.#watch.stop()
    await Promise.all(this.#tasks.values())
  }

  get #room(): number {
    return this.#isDraining ? 0 : this.#environment.slots.free
  }

  /** Begins to run it, if there is room; else it stays on the worklist, for whoever has room first. */
  async submit({ id, ...seen }: Submission): Promise<void> {
    if (this.#room > 0 && !this.#tasks.has(id)) this.#take(id, seen)
    else this.#isMoreLeft = true
  }

  /** Registers a process and, where there is room, begins it in the same transaction; else it is on the worklist. */
  async register(
    registration: RegistrationRequest,
    options: Parameters<ProcessRegistry['registerAndBegin']>[2] = {},
  ): Promise<StartedHere> {
    const { id } = registration
    if (this.#room === 0 || hasTurns(registration.flow) || this.#tasks.has(id)) {
      this.#isMoreLeft = true
      return this.#environment.registry.register(registration, { ...options, isDueAtOnce: true })
    }
    const registered = Promise.withResolvers<StartResult>()
    const ended = this.#runNew(registration, options, registered)
    this.#hold(
      id,
      ended.then(() => {}),
    )
    const { type, record, begun } = await registered.promise
    return { type, record, ...(begun === undefined ? {} : { ended }) }
  }

  async #runNew(
    registration: RegistrationRequest,
    register: Parameters<ProcessRegistry['registerAndBegin']>[2] = {},
    registered: PromiseWithResolvers<StartResult>,
  ): Promise<Outcome | undefined> {
    const { shutdown } = this.#options
    let isRegistered = false
    try {
      return await this.#runner.runNew(registration, {
        register,
        onRegistered: result => {
          isRegistered = true
          registered.resolve(result)
        },
        ...(shutdown === undefined ? {} : { shutdown }),
      })
    } catch (error) {
      if (!isRegistered) registered.reject(error)
      else this.#couldNotRun(registration.id, error)
      return undefined
    }
  }

  async claimAndRunPending(): Promise<void> {
    const pending = await this.#environment.registry.pendingProcesses(BATCH)
    const taken = this.#takeAll(pending)
    if (taken.length < pending.length) this.#isMoreLeft = true
  }

  async #takeDue(): Promise<number> {
    const { registry } = this.#environment
    try {
      const limit = this.#room + this.#tasks.size
      const due = this.#room > 0 ? await registry.dueProcesses(limit) : []
      const taken = this.#takeAll(due)
      const isFull = this.#room <= 0
      if (taken.length < due.length || isFull) this.#isMoreLeft = true
      const begun = await Promise.all(taken)
      // What was not begun may still be due: it waits for the next regular pass instead of being tried in a loop.
      // What there was no room for, too, until there is some.
      if (!begun.every(Boolean) || taken.length < due.length || isFull) return REGULAR_PASS_MS
      return (await registry.msUntilDue()) ?? REGULAR_PASS_MS
    } catch (error) {
      return this.#cannotLook(error)
    }
  }

  /** As many as there is room for; each resolves when it has begun. */
  #takeAll(processes: readonly StoredProcess[]): Promise<boolean>[] {
    return processes
      .filter(({ record }) => !this.#tasks.has(record.id))
      .slice(0, this.#room)
      .map(({ record }) => this.#take(record.id, submissionOf(record)))
  }

  /** Resolves to whether this pass has moved the row on, one way or the other. */
  #take(id: string, seen: Seen): Promise<boolean> {
    const begun = Promise.withResolvers<boolean>()
    this.#hold(
      id,
      this.#run(id, seen, begun.resolve).finally(() => begun.resolve(false)),
    )
    return begun.promise
  }

  #hold(id: string, running: Promise<void>): void {
    const task = running.finally(() => {
      this.#tasks.delete(id)
      this.#lookForMore()
    })
    this.#tasks.set(id, task)
  }

  async #run(id: string, seen: Seen, onBegun: (isMoved: boolean) => void): Promise<void> {
    const { shutdown } = this.#options
    try {
      // Whatever it comes to, the row itself says when somebody has to look at it again.
      await this.#runner.run(id, {
        isRerunnable: seen.disposition === 'rerunnable',
        onBegun: ({ type }) => onBegun(type !== 'busy'),
        ...(shutdown === undefined ? {} : { shutdown }),
      })
    } catch (error) {
      this.#couldNotRun(id, error)
      // A store that fails is tried again at the next pass. Anything else is this row's own: it comes back later each time.
      if (!isTransient(error)) await this.#environment.registry.postpone(id, seen).catch(() => {})
    }
  }

  #couldNotRun(id: string, error: unknown): void {
    this.#environment.logger.warn('not run; the row stays due', { processId: id, error: messageOf(error) })
  }

  #lookForMore(): void {
    if (!this.#isMoreLeft || this.#room === 0) return
    this.#isMoreLeft = false
    if (this.#watch.isRunning) this.#watch.wake()
    else void this.claimAndRunPending().catch(error => this.#cannotLook(error))
  }

  #cannotLook(error: unknown): number {
    this.#environment.logger.warn('cannot look for what is due; trying again', { error: messageOf(error) })
    return REGULAR_PASS_MS
  }
}
