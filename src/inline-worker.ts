import { DeathWatch } from './execution/death-watch.ts'
import { DrainWatch } from './execution/drain-watch.ts'
import {
  createExecutionEnvironment,
  type ExecutionOptions,
  localWorker,
  newWorkerName,
} from './execution/environment.ts'
import { InlineRunHandle } from './execution/inline-run-handle.ts'
import { offerLocally } from './execution/local-run-handles.ts'
import { observeWorker } from './execution/observe-worker.ts'
import { ProcessRunner } from './execution/runner.ts'
import { requireUsable } from './execution/startup-check.ts'
import { ProcessWorkDriver } from './execution/work-driver.ts'
import { requireConcurrency } from './execution/working-slots.ts'
import { createMaintenance } from './maintenance/maintenance.ts'
import { type Retention, requireRetention } from './maintenance/pruner.ts'
import type { DrainReport } from './model/drain.ts'
import { LeaseholdError, messageOf } from './model/errors.ts'
import { timerMs } from './model/timer.ts'
import type { WatchedRegistry } from './registry/watch.ts'
import type { Host } from './runtime/host.ts'
import { stderrLogger } from './runtime/logger.ts'
import { borrowRegistry } from './runtime/open-registry.ts'

export interface InlineWorkerOptions extends ExecutionOptions {
  /** How long what has ended is kept. Default: for ever; nothing is pruned but by hand. */
  readonly retention?: Retention
  /** How long running processes may go on after `stop` before they are told to. Default 3,000 ms. */
  readonly shutdownGraceMs?: number
}

export interface InlineWorker extends AsyncDisposable {
  readonly id: string
  /** Resolves, with the registry that it serves, when it takes work; rejects where the registry cannot be opened. */
  readonly ready: Promise<{ readonly registryId: string }>
  /** Resolves when the worker has stopped; rejects when it had to. */
  run(): Promise<void>
  /**
   * Takes at once what else it would leave a moment for others to take; `reason` is for the log. For hosts that know of
   * something: a session was opened, a delivery came. Returns without waiting for what then runs.
   */
  claimAndRunPending(reason: string): Promise<void>
  /**
   * Takes no more work, lets running processes go on for the grace, then tells them to stop: rerunnable ones are given
   * back for the next worker, owner-bound ones end as abandoned(owner_drain). May be called twice. A durable request
   * (`requestDrain`) does the same. Returns what became of what ran.
   */
  stop(): Promise<DrainReport>
}

/**
 * Runs a host's processes in this OS process, with no server beside it. It begins at once. Any number of inline workers,
 * in any number of OS processes, may share a registry; what one of them leaves behind as it dies, the others go on with.
 */
export function createInlineWorker<H extends Host>(host: H, options: InlineWorkerOptions = {}): InlineWorker {
  const { shutdownGraceMs = 3_000, logger = stderrLogger } = options
  const name = options.worker ?? newWorkerName()
  if (options.concurrency !== undefined) requireConcurrency(options.concurrency)
  const retention = requireRetention(options.retention ?? {})
  const serving = Promise.withResolvers<ProcessWorkDriver>()
  const stopped = Promise.withResolvers<void>()
  let isStopping = false
  let refuse = () => {}
  let report: DrainReport = { ended: [], released: [], abandoned: [], deferred: [] }

  const ready = serving.promise.then(({ registry }) => ({ registryId: registry.registryId }))
  // Whoever awaits neither this nor the run still hears of it.
  ready.catch(() => {})
  const life = live()
  life.catch(error =>
    logger.error('the inline worker had to stop', { worker: name.ownerId, error: messageOf(error) }),
  )

  async function live(): Promise<void> {
    try {
      await using stack = new AsyncDisposableStack()
      const { registry, release } = await borrowRegistry(host.registry, { eventSink: host.eventSink, logger })
      stack.defer(release)
      await serve(registry, stack)
      serving.reject(new LeaseholdError('worker_shutdown', 'The worker was stopped before it took any work.'))
    } catch (error) {
      serving.reject(error)
      throw error
    }
  }

  /** What is deferred here is done in the opposite order, when the worker is told to stop or cannot go on. */
  async function serve(registry: WatchedRegistry, stack: AsyncDisposableStack): Promise<void> {
    const worker = options.worker ?? localWorker(registry, name)
    const environment = createExecutionEnvironment(host, registry, { ...options, worker, logger })
    await requireUsable(environment)
    const shutdown = new AbortController()
    const runner = new ProcessRunner(environment)
    const handle = new InlineRunHandle(environment, runner, { shutdown: shutdown.signal })
    const deathWatch = new DeathWatch(environment)
    const maintenance = createMaintenance(environment, { retention })

    // Announced before the first process is taken, so that no attempt runs whose worker nobody can judge.
    await registry.announceWorker(worker)
    stack.defer(() => registry.removeWorker(worker.incarnationId).catch(() => {}))
    deathWatch.start()
    stack.defer(() => deathWatch.stop())
    stack.defer(async () => {
      runner.beginDrain()
      const grace = setTimeout(() => shutdown.abort(), timerMs(shutdownGraceMs))
      await handle.drain()
      clearTimeout(grace)
      report = await runner.finishDrain()
      await registry.reportDrain(worker.incarnationId, report).catch(() => {})
    })
    const drainWatch = new DrainWatch(environment, () => {
      refuse()
      stopped.resolve()
    })
    drainWatch.start()
    stack.defer(() => drainWatch.stop())
    stack.defer(offerLocally(registry, handle))
    // Before anything else is taken down: what is started from now on is for others.
    refuse = () => void handle.drain()
    if (isStopping) return
    handle.start()
    stack.defer(observeWorker(environment))
    maintenance.start()
    stack.defer(() => maintenance.stop())
    serving.resolve(ProcessWorkDriver.fromWatched(registry, handle, { logger }))
    await stopped.promise
  }

  const stop = async () => {
    isStopping = true
    refuse()
    stopped.resolve()
    await life.catch(() => {})
    return report
  }
  const dispose = async () => void (await stop())

  return {
    id: name.ownerId,
    ready,
    run: () => life,
    claimAndRunPending: async reason => (await serving.promise).claimAndRunPending(reason),
    stop,
    [Symbol.asyncDispose]: dispose,
  }
}
