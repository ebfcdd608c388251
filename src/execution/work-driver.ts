import { messageOf } from '../model/errors.ts'
import type { ProcessEvent } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import { ProcessAwaiter, type WaitOptions } from '../registry/awaiter.ts'
import type { ChangeHub } from '../registry/change-hub.ts'
import type { ProcessEventSink } from '../registry/event-sink.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import { type WatchedRegistry, watchRegistry } from '../registry/watch.ts'
import type { Host } from '../runtime/host.ts'
import { type Logger, stderrLogger } from '../runtime/logger.ts'
import { onSinkProblem } from '../runtime/sink-problem.ts'
import { deliverWakes } from './deliver-wakes.ts'
import { createExecutionEnvironment, type ExecutionOptions } from './environment.ts'
import { InlineRunHandle } from './inline-run-handle.ts'
import { ProcessRunner } from './runner.ts'
import type { ProcessRunHandle } from './submit.ts'

/** A wait for a process's end that its backend keeps. Its errors are its own: nobody falls back to looking. */
export interface ProcessAttach {
  awaitTerminal(id: string, options?: WaitOptions): Promise<Outcome>
}

export interface WorkDriverOptions {
  /** Hears of what is appended through the driver's registry. Default: none. */
  readonly sink?: ProcessEventSink
  /** Whose sink takes the wakes that are due at each drive. Default: they are left to the workers. */
  readonly host?: Host
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly logger?: Logger
}

export interface InlineDriverOptions extends ExecutionOptions, Pick<WorkDriverOptions, 'sink'> {
  /** Fires when what runs has to stop. Default: never. */
  readonly shutdown?: AbortSignal
}

interface DriverParts {
  readonly logger: Logger
  readonly host: Host | undefined
  readonly attach?: ProcessAttach
}

/**
 * What a host needs to have processes run and to wait for them: the registry, watched, the hub that its changes tick, an
 * awaiter on both, and whoever runs what is pending. Host and driver share these instances: a change that is written
 * past them is heard of later.
 */
export class ProcessWorkDriver {
  readonly registry: WatchedRegistry
  readonly awaiter: ProcessAwaiter
  readonly #runHandle: Pick<ProcessRunHandle, 'claimAndRunPending'>
  readonly #logger: Logger
  readonly #host: Host | undefined
  readonly #attach: ProcessAttach | undefined

  private constructor(
    registry: WatchedRegistry,
    runHandle: Pick<ProcessRunHandle, 'claimAndRunPending'>,
    { logger, host, attach }: DriverParts,
  ) {
    this.registry = registry
    this.awaiter = new ProcessAwaiter(registry, registry.hub)
    this.#runHandle = runHandle
    this.#logger = logger
    this.#host = host
    this.#attach = attach
  }

  /** Over a bare registry, which is wrapped here and is then to be used as `driver.registry`. */
  static over(
    registry: ProcessRegistry,
    runHandle: Pick<ProcessRunHandle, 'claimAndRunPending'>,
    { sink, host, logger = stderrLogger }: WorkDriverOptions = {},
  ): ProcessWorkDriver {
    const watched = watchRegistry(registry)
    if (sink !== undefined) watched.addSink(sink, { onProblem: onSinkProblem(logger) })
    return new ProcessWorkDriver(watched, runHandle, { logger, host })
  }

  /** Over a registry that is wrapped already: once is enough, and a second hub would hear nothing of the first one's writes. */
  static fromWatched(
    registry: WatchedRegistry,
    runHandle: Pick<ProcessRunHandle, 'claimAndRunPending'>,
    { logger = stderrLogger, host }: Pick<WorkDriverOptions, 'logger' | 'host'> = {},
  ): ProcessWorkDriver {
    return new ProcessWorkDriver(registry, runHandle, { logger, host })
  }

  /**
   * Over a bare registry: what is pending runs in this OS process, at each drive and as long as it takes. It is no worker:
   * nobody is told of it, and what becomes due later waits for the next drive, or for a worker.
   */
  static inline(host: Host, registry: ProcessRegistry, options: InlineDriverOptions = {}): ProcessWorkDriver {
    const { sink, logger = stderrLogger, shutdown, ...execution } = options
    const watched = watchRegistry(registry)
    if (sink !== undefined) watched.addSink(sink, { onProblem: onSinkProblem(logger) })
    const environment = createExecutionEnvironment(host, watched, { ...execution, logger })
    const stop = shutdown === undefined ? {} : { shutdown }
    const runHandle = new InlineRunHandle(environment, new ProcessRunner(environment), stop)
    return new ProcessWorkDriver(watched, runHandle, { logger, host })
  }

  /** The same driver, its waits for ends kept by the backend wherever that has the process. */
  withAttach(attach: ProcessAttach): ProcessWorkDriver {
    const parts = { logger: this.#logger, host: this.#host, attach }
    return new ProcessWorkDriver(this.registry, this.#runHandle, parts)
  }

  get hub(): ChangeHub {
    return this.registry.hub
  }

  /**
   * Resolves with the outcome, at once if there is one. Throws `process_unknown`; rejects when the signal fires, and with
   * an attach as that does. There is no bound but the caller's signal.
   */
  async awaitTerminal(id: string, options: WaitOptions = {}): Promise<Outcome> {
    const record = await this.registry.requireRecord(id)
    if (record.outcome !== undefined) return record.outcome
    // What no backend has been given is nowhere but in the registry.
    const isAttached = this.#attach !== undefined && record.externalRef !== undefined
    return isAttached ? this.#attach.awaitTerminal(id, options) : this.awaiter.awaitTerminal(id, options)
  }

  /** The first event of the type after the cursor, existing or future: never by the attach. Throws `process_unknown`. */
  awaitEvent(id: string, eventType: string, after: number, options: WaitOptions = {}): Promise<ProcessEvent> {
    return this.awaiter.awaitEvent(id, eventType, after, options)
  }

  /**
   * Hands over the wakes that are due, then has everything run that waits for somebody; `reason` says for the log what the
   * host does it for. Idempotent.
   */
  async claimAndRunPending(reason: string): Promise<void> {
    try {
      const host = this.#host
      if (host !== undefined) await deliverWakes({ host, registry: this.registry, logger: this.#logger })
      await this.#runHandle.claimAndRunPending()
    } catch (error) {
      this.#logger.warn('pending processes could not be taken', { reason, error: messageOf(error) })
      throw error
    }
  }
}
