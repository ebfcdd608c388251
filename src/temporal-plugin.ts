import type { Worker, WorkerOptions, WorkerPlugin } from '@temporalio/worker'
import type { WorkerDeployment } from './activities/worker-versioning.ts'
import { LeaseholdError } from './model/errors.ts'
import { type Host, requireHost } from './runtime/host.ts'
import type { ProcessWorker, ProcessWorkerOptions } from './worker.ts'

/** What the worker that has the plugin says already is taken from it. */
export type TemporalPluginOptions = Omit<
  ProcessWorkerOptions,
  'connection' | 'namespace' | 'dataConverter' | 'deployment'
>

/** The SDK tells nobody when a worker begins to shut down. */
const LOOK_EVERY_MS = 100

/**
 * For a team that has a worker already: runs a worker of the host beside theirs, as long as theirs runs, on their
 * connection and a task queue of its own. It has their namespace, data converter and build; their interceptors, activities
 * and workflows stay theirs, and hear nothing of it. One for each worker, among its `plugins`.
 */
export function temporalPlugin(host: Host, options: TemporalPluginOptions = {}): WorkerPlugin {
  let isTaken = false
  return {
    name: 'leasehold',

    configureWorker(theirs: WorkerOptions): WorkerOptions {
      requireHost(host)
      if (theirs.connection === undefined)
        throw unusable('a worker without a connection of its own; give it one')
      if (isTaken)
        throw unusable('more than one worker; make one for each, and leave it out of the connection')
      isTaken = true
      return theirs
    },

    async runWorker(theirs: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
      // Loaded late, so that the package's entry loads nothing of Temporal's.
      const { createProcessWorker } = await import('./worker.ts')
      const created = createProcessWorker(host, { ...options, ...settingsOf(theirs) })
      const ours = await created.catch(async error => {
        await runDown(theirs, next)
        throw error
      })
      await runBeside(ours, theirs, next)
    },
  }
}

/** A worker that was only created holds its connection until it has run down. */
async function runDown(theirs: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
  const ran = next(theirs)
  if (theirs.getState() === 'RUNNING') theirs.shutdown()
  await ran
}

async function runBeside(
  ours: ProcessWorker,
  theirs: Worker,
  next: (worker: Worker) => Promise<void>,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  // A worker that has to end takes theirs along: a half of what should run is worse than a restart.
  ours.run().catch(error => {
    failure = { error }
    if (theirs.getState() === 'RUNNING') theirs.shutdown()
  })
  let hasRun = false
  const watch = setInterval(() => {
    const isRunning = theirs.getState() === 'RUNNING'
    if (hasRun && !isRunning) void ours.stop()
    hasRun ||= isRunning
  }, LOOK_EVERY_MS)
  try {
    await next(theirs)
  } finally {
    clearInterval(watch)
    await ours.stop()
  }
  if (failure !== undefined) throw failure.error
}

function settingsOf({ options }: Worker) {
  const { connection, namespace, dataConverter, workerDeploymentOptions } = options
  if (connection === undefined) throw unusable('a worker without a connection of its own; give it one')
  const deployment = deploymentOf(workerDeploymentOptions)
  return {
    connection,
    namespace,
    ...(dataConverter === undefined ? {} : { dataConverter }),
    ...(deployment === undefined ? {} : { deployment }),
  }
}

function deploymentOf(theirs: WorkerOptions['workerDeploymentOptions']): WorkerDeployment | undefined {
  if (!theirs?.useWorkerVersioning) return undefined
  const { version, defaultVersioningBehavior: versioningBehavior } = theirs
  return { name: version.deploymentName, buildId: version.buildId, versioningBehavior }
}

const unusable = (where: string): LeaseholdError =>
  new LeaseholdError('host_invalid', `The plugin of leasehold cannot serve ${where}.`)
