import { AsyncCompletionClient, Client } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import { type NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker'
import { createFailOrphan, createFailTask } from './activities/fail-attempt.ts'
import { createOccurrenceActivities } from './activities/occurrence-activities.ts'
import { createProcessActivities } from './activities/process-activities.ts'
import { tunerFor } from './activities/worker-tuner.ts'
import { versioningOf, type WorkerDeployment } from './activities/worker-versioning.ts'
import { createPendingTasks } from './client/pending-tasks.ts'
import { TemporalRunHandle } from './client/temporal-run-handle.ts'
import { createTemporalSchedules } from './client/temporal-schedules.ts'
import { defaultTaskQueue } from './contract.ts'
import { DeathWatch } from './execution/death-watch.ts'
import { DrainWatch } from './execution/drain-watch.ts'
import { createExecutionEnvironment, type ExecutionOptions } from './execution/environment.ts'
import { observeWorker } from './execution/observe-worker.ts'
import { ProcessRunner } from './execution/runner.ts'
import { requireUsable } from './execution/startup-check.ts'
import type { Submission } from './execution/submit.ts'
import { LostTasks } from './maintenance/lost-tasks.ts'
import { createMaintenance, type Maintenance } from './maintenance/maintenance.ts'
import { type Retention, requireRetention } from './maintenance/pruner.ts'
import { ScheduleKeeper } from './maintenance/schedule-keeper.ts'
import { Sweeper } from './maintenance/sweeper.ts'
import type { DrainReport } from './model/drain.ts'
import { timerMs } from './model/timer.ts'
import { durableExecutionHost } from './runtime/execution-host.ts'
import { type Host, requireHost } from './runtime/host.ts'
import { borrowRegistry } from './runtime/open-registry.ts'
import { DEFAULT_CACHE_DIR, loadWorkflowBundle } from './workflow-bundle.ts'

export interface ProcessWorkerOptions extends ExecutionOptions {
  /** How long what has ended is kept. Default: for ever; nothing is pruned but by hand. */
  readonly retention?: Retention
  readonly connection: NativeConnection
  /** Default `default`. */
  readonly namespace?: string
  /** Default: the registry's own queue. */
  readonly taskQueue?: string
  /** How long running processes may go on after `stop` before they are told to. Default 3,000 ms. */
  readonly shutdownGraceMs?: number
  /** Where the bundled workflow code is kept. Default `~/.cache/leasehold`. */
  readonly cacheDir?: string
  /** The build that this worker is of, for Temporal's worker versioning. Default: none, an unversioned worker. */
  readonly deployment?: WorkerDeployment
  /** How what little of ours enters a history is written, as by an encrypting codec. Must be the clients'. */
  readonly dataConverter?: DataConverter
  /** Workflow code bundled by somebody else, of which `leasehold/workflows` is a part. Default: bundled here, and kept. */
  readonly workflowBundle?: WorkflowBundleOption
}

export interface ProcessWorker extends AsyncDisposable {
  readonly id: string
  readonly registryId: string
  readonly taskQueue: string
  /** Resolves when the worker has stopped; rejects when it had to. */
  run(): Promise<void>
  /**
   * Takes no more work, lets running processes go on for the grace, then tells them to stop: rerunnable ones are given
   * back for the next worker, owner-bound ones end as abandoned(owner_drain). May be called twice, or before `run`. A
   * durable request (`requestDrain`) does the same. Returns what became of what ran.
   */
  stop(): Promise<DrainReport>
}

/** Puts a worker together: one host, one registry, one task queue. */
export async function createProcessWorker<H extends Host>(
  host: H,
  options: ProcessWorkerOptions,
): Promise<ProcessWorker> {
  const { connection, namespace = 'default', shutdownGraceMs = 3_000, dataConverter } = options
  requireHost(host)
  // Before anything is made: a Temporal worker that never runs would hold its connection open for ever.
  const retention = requireRetention(options.retention ?? {})
  const { registry, release } = await borrowRegistry(host.registry, {
    eventSink: host.eventSink,
    logger: options.logger,
  })
  try {
    const environment = {
      ...createExecutionEnvironment(host, registry, { executionHost: durableExecutionHost, ...options }),
      submit: (process: Submission) => handle.submit(process),
    }
    await requireUsable(environment)
    const { worker: identity, timings } = environment
    const taskQueue = options.taskQueue ?? defaultTaskQueue(registry.registryId)
    const runner = new ProcessRunner(environment)
    const shutdown = new AbortController()
    const temporal = await Worker.create({
      connection,
      namespace,
      taskQueue,
      identity: identity.ownerId,
      workflowBundle:
        options.workflowBundle ??
        (await loadWorkflowBundle(options.cacheDir ?? DEFAULT_CACHE_DIR, dataConverter)),
      ...(dataConverter === undefined ? {} : { dataConverter }),
      ...versioningOf(options.deployment),
      activities: {
        ...createProcessActivities(environment, runner, shutdown.signal),
        ...createOccurrenceActivities(environment),
      },
      tuner: tunerFor(environment.slots),
      // A cached workflow costs about 1 MB, and ours wake rarely.
      maxCachedWorkflows: 100,
      // A dead worker's sticky queue holds back the end of its processes' runs for so long.
      stickyQueueScheduleToStartTimeout: '1s',
      // Every renewal is a heartbeat, so the SDK need not hold any back.
      maxHeartbeatThrottleInterval: timings.renewIntervalMs,
      defaultHeartbeatThrottleInterval: timings.renewIntervalMs,
      shutdownGraceTime: shutdownGraceMs,
    })
    const server = {
      connection,
      namespace,
      identity: identity.ownerId,
      ...(dataConverter === undefined ? {} : { dataConverter }),
    }
    const client = new Client(server)
    const handle = new TemporalRunHandle({ client, registry, taskQueue, heartbeatTimeoutMs: timings.ttlMs })
    const completion = new AsyncCompletionClient(server)
    const deathWatch = new DeathWatch(environment, createFailOrphan(completion))
    const tasks = {
      pendingTasks: createPendingTasks(client, registry.registryId),
      failTask: createFailTask(completion),
    }
    const schedules = createTemporalSchedules({ client, registryId: registry.registryId, taskQueue })
    const sweeper = new Sweeper(environment, runner, handle, [
      new LostTasks(environment, tasks),
      new ScheduleKeeper(environment, schedules),
    ])
    const maintenance = createMaintenance(environment, { retention, hasBackendSchedules: true })
    const shutDownAfterGrace = () => setTimeout(() => shutdown.abort(), timerMs(shutdownGraceMs))
    const parts = {
      temporal,
      environment,
      runner,
      deathWatch,
      sweeper,
      maintenance,
      shutDownAfterGrace,
      release,
      taskQueue,
    }
    return assemble(parts)
  } catch (error) {
    await release()
    throw error
  }
}

const NOTHING_RAN: DrainReport = { ended: [], released: [], abandoned: [], deferred: [] }

interface Parts {
  readonly temporal: Worker
  readonly environment: ReturnType<typeof createExecutionEnvironment>
  readonly runner: ProcessRunner
  readonly deathWatch: DeathWatch
  readonly sweeper: Sweeper
  readonly maintenance: Maintenance
  /** Tells the running attempts to stop, when the grace is over. */
  readonly shutDownAfterGrace: () => NodeJS.Timeout
  readonly release: () => Promise<void>
  readonly taskQueue: string
}

function assemble(parts: Parts): ProcessWorker {
  const { temporal, environment, runner, deathWatch, sweeper, maintenance, release, taskQueue } = parts
  const { registry, worker } = environment
  const drainWatch = new DrainWatch(environment, () => void stop())
  let report = NOTHING_RAN
  let running: Promise<void> | undefined
  let isStopping = false
  let isOver = false
  let grace: NodeJS.Timeout | undefined

  /** What is deferred here is done in the opposite order, each of it whatever becomes of the others. */
  async function runOnce(): Promise<void> {
    await using stack = new AsyncDisposableStack()
    stack.defer(release)
    stack.defer(() => registry.removeWorker(worker.incarnationId).catch(() => {}))
    stack.defer(() => deathWatch.stop())
    stack.defer(() => sweeper.stop())
    stack.defer(() => maintenance.stop())
    stack.defer(async () => {
      report = await runner.finishDrain()
      await registry.reportDrain(worker.incarnationId, report).catch(() => {})
    })
    stack.defer(() => drainWatch.stop())
    stack.defer(() => {
      isOver = true
      clearTimeout(grace)
    })
    stack.defer(() => runDown(temporal))
    // Announced before the first task is taken, so that no attempt runs whose worker nobody can judge.
    await registry.announceWorker(worker)
    // Stopped before it ran, or meanwhile: a Temporal worker that is not running cannot be told to shut down.
    if (isStopping) return
    deathWatch.start()
    drainWatch.start()
    sweeper.start()
    maintenance.start()
    stack.defer(observeWorker(environment))
    await temporal.run()
  }

  const run = (): Promise<void> => {
    running ??= runOnce()
    return running
  }

  const stop = async (): Promise<DrainReport> => {
    isStopping = true
    runner.beginDrain()
    // One that has ended by itself has nobody left to tell, and a timer would keep the program alive.
    if (!isOver) grace ??= parts.shutDownAfterGrace()
    if (temporal.getState() === 'RUNNING') temporal.shutdown()
    await run().catch(() => {})
    return report
  }

  return {
    id: worker.ownerId,
    registryId: registry.registryId,
    taskQueue,
    run,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}

/** A Temporal worker that was only created holds its pollers and its connection until it has run down. */
async function runDown(temporal: Worker): Promise<void> {
  if (temporal.getState() !== 'INITIALIZED') return
  const ran = temporal.run()
  temporal.shutdown()
  await ran
}
