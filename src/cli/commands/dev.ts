import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type DevServer, type DevServerSource, startDevServer } from '../../dev-server/index.ts'
import { LeaseholdError } from '../../model/errors.ts'
import type { Host } from '../../runtime/host.ts'
import { cacheFolder } from '../cache-folder.ts'
import {
  type ConnectionFlags,
  hostOption,
  namespaceOption,
  readConnectionSettings,
  type TemporalSettings,
  taskQueueOption,
} from '../connection-settings.ts'
import type { CliContext, Environment } from '../context.ts'
import { type Interrupts, listenForInterrupts } from '../interrupts.ts'
import { loadHost } from '../load-host.ts'
import { createLog } from '../log.ts'
import { alignRows } from '../process-lines.ts'
import { type RunningWorker, startWorker, type WorkerSettings } from '../run-worker.ts'

interface DevFlags extends ConnectionFlags {
  readonly temporalDb?: string
}

export const devCommand = (context: CliContext): Command =>
  new Command('dev')
    .description('run a Temporal dev server and a worker in one terminal, until Ctrl-C')
    .addOption(hostOption())
    .addOption(
      new Option(
        '--temporal-db <file>',
        'keep the server’s state (default: in memory; the registry is durable)',
      ),
    )
    .addOption(namespaceOption())
    .addOption(taskQueueOption())
    .action((flags: DevFlags) => dev(context, flags))

/**
 * Ctrl-C before everything is up ends with 128 + n, after that with 0. Either way the worker drains first, against a
 * server that still runs.
 */
async function dev({ env, output }: CliContext, { temporalDb, ...flags }: DevFlags): Promise<void> {
  const interrupts = listenForInterrupts()
  const settings = readConnectionSettings(env, flags)
  // First, so that a wrong module costs no start of a server.
  const host = settings.host === undefined ? undefined : await loadHost(settings.host)
  const { namespace } = settings.temporal
  const server = await startDevServer({
    env: requireOneServer(env, temporalDb),
    cacheDir: cacheFolder(env),
    ui: true,
    ...(namespace === 'default' ? {} : { namespaces: [namespace] }),
    ...(temporalDb === undefined ? {} : { dbFilename: resolve(temporalDb) }),
    onProgress: output.note,
    signal: interrupts.signal,
  })
  try {
    const temporal = { address: server.address, namespace }
    if (host !== undefined) output.note(`Temporal answers at ${server.address}; starting the worker.`)
    const worker = host && (await startWorker(host, workerSettings(temporal)))
    try {
      const ready = describeReady({ server, temporal, temporalDb, host, worker })
      output.document(ready.facts, () => ready.lines)
      await untilStopped(server, worker, interrupts)
      output.note('Stopping: first the worker, then the server. Ctrl-C again stops at once.')
    } finally {
      await worker?.stop()
    }
  } finally {
    await server.stop()
  }

  function workerSettings(temporal: TemporalSettings): WorkerSettings {
    const { taskQueue } = settings
    return {
      temporal,
      ...(taskQueue === undefined ? {} : { taskQueue }),
      cacheDir: cacheFolder(env),
      logger: createLog(output.isJson),
      signal: interrupts.signal,
    }
  }
}

/** A server of somebody else keeps its state as it likes. */
function requireOneServer(env: Environment, temporalDb: string | undefined): Environment {
  if (temporalDb === undefined || !env.TEMPORAL_ADDRESS) return env
  throw new LeaseholdError(
    'usage',
    `TEMPORAL_ADDRESS names a server that runs already (${env.TEMPORAL_ADDRESS}), so --temporal-db has nothing to say to it. Unset the one or leave out the other.`,
  )
}

/** Resolves at Ctrl-C; throws if server or worker ended before that. */
async function untilStopped(
  server: DevServer,
  worker: RunningWorker | undefined,
  { first }: Interrupts,
): Promise<void> {
  const serverEnded = server.exited.then(({ code, stderr }) => {
    throw new LeaseholdError(
      'temporal_server_failed',
      `The Temporal dev server ended by itself, with exit code ${code}. It said: ${stderr.trim() || 'nothing'}\nStart dev again; processes go on where they were, since the registry keeps them.`,
    )
  })
  await Promise.race([first, serverEnded, ...(worker === undefined ? [] : [worker.ended])])
}

interface Ready {
  readonly server: DevServer
  readonly temporal: TemporalSettings
  readonly temporalDb: string | undefined
  readonly host: Host | undefined
  readonly worker: RunningWorker | undefined
}

/** Every address, once for programs and once for people. */
function describeReady({ server, temporal, temporalDb, host, worker }: Ready) {
  const { uiAddress, source, pid } = server
  const facts = {
    temporal: {
      ...temporal,
      source,
      ...(uiAddress === undefined ? {} : { ui: uiAddress }),
      ...(pid === undefined ? {} : { pid }),
    },
    ...(host === undefined || worker === undefined
      ? {}
      : {
          worker: worker.id,
          taskQueue: worker.taskQueue,
          registry: host.registry.description,
          registryId: worker.registryId,
        }),
  }
  const lines = [
    'Ready. Ctrl-C stops it.',
    ...alignRows([
      ['temporal', `${temporal.address} (${SOURCE_TEXT[source]})`],
      ['ui', uiAddress],
      ['namespace', temporal.namespace],
      ['state', source === 'TEMPORAL_ADDRESS' ? undefined : (temporalDb ?? 'in memory')],
      ['registry', host?.registry.description],
      ['task queue', worker?.taskQueue],
      ['worker', worker?.id ?? 'none: name a host module by --host FILE or LEASEHOLD_HOST to have one'],
      ['kinds', host && (Object.keys(host.engines ?? {}).join(', ') || 'none')],
    ]),
  ]
  return { facts: { ready: facts }, lines }
}

const SOURCE_TEXT = {
  TEMPORAL_ADDRESS: 'TEMPORAL_ADDRESS; not started here, and left running',
  TEMPORAL_CLI_PATH: 'started here; the CLI from TEMPORAL_CLI_PATH',
  PATH: 'started here; the CLI from PATH',
  cache: 'started here; the CLI from the cache',
  download: 'started here; the CLI just downloaded',
  go: 'started here; the CLI just built with Go',
} as const satisfies Record<DevServerSource, string>
