import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type DevServer, startDevServer } from '../../dev-server/index.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { cacheFolder } from '../cache-folder.ts'
import {
  type ConnectionFlags,
  dataConverterOption,
  hostOption,
  namespaceOption,
  readConnectionSettings,
  taskQueueOption,
} from '../connection-settings.ts'
import type { CliContext, Environment } from '../context.ts'
import { devInline } from '../dev-inline.ts'
import { describeReady } from '../dev-ready.ts'
import { type Interrupts, listenForInterrupts } from '../interrupts.ts'
import { loadHost } from '../load-host.ts'
import { createLog } from '../log.ts'
import { type MetricsAddress, metricsOption, openMetricsEndpoint } from '../metrics-endpoint.ts'
import { type RunningWorker, startWorker, type WorkerSettings } from '../run-worker.ts'
import { loadOwnServerSettings, type TemporalSettings } from '../temporal-settings.ts'

interface DevFlags extends ConnectionFlags {
  readonly inline?: true
  readonly temporalDb?: string
  readonly metrics?: MetricsAddress
}

export const devCommand = (context: CliContext): Command =>
  new Command('dev')
    .description('run a Temporal dev server and a worker in one terminal, until Ctrl-C')
    .addOption(hostOption())
    .addOption(
      new Option('--inline', 'no server: a worker alone, which finds its work in the registry').conflicts([
        'temporalDb',
        'temporalNamespace',
        'taskQueue',
      ]),
    )
    .addOption(
      new Option(
        '--temporal-db <file>',
        'keep the server’s state (default: in memory; the registry is durable)',
      ),
    )
    .addOption(metricsOption())
    .addOption(namespaceOption())
    .addOption(taskQueueOption())
    .addOption(dataConverterOption())
    .action((flags: DevFlags) => dev(context, flags))

/**
 * Ctrl-C before everything is up ends with 128 + n, after that with 0. Either way the worker drains first, against a
 * server that still runs.
 */
async function dev(context: CliContext, { inline, temporalDb, metrics, ...flags }: DevFlags): Promise<void> {
  const { env, output } = context
  const interrupts = listenForInterrupts()
  const settings = readConnectionSettings(env, flags)
  await using stack = new AsyncDisposableStack()
  const endpoint = metrics && stack.use(await openMetricsEndpoint(metrics))
  if (endpoint !== undefined) output.note(`Metrics are at ${endpoint.url}`)
  if (inline) return await devInline(context, settings.host, interrupts)
  // First, so that a wrong module costs no start of a server.
  const host = settings.host === undefined ? undefined : await loadHost(settings.host)
  const { namespace, access, ...others } = env.TEMPORAL_ADDRESS
    ? await settings.temporal()
    : await loadOwnServerSettings(env, flags)
  const server = await startDevServer({
    env: requireOneServer(env, temporalDb),
    cacheDir: cacheFolder(env),
    access,
    ui: true,
    ...(namespace === 'default' ? {} : { namespaces: [namespace] }),
    ...(temporalDb === undefined ? {} : { dbFilename: resolve(temporalDb) }),
    onProgress: output.note,
    signal: interrupts.signal,
  })
  try {
    const temporal = { ...others, address: server.address, namespace, access }
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
      logger: createLog(output.isJson, env),
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
