import { Command } from 'commander'
import { cacheFolder } from '../cache-folder.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  temporalOptions,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { type DeploymentFlags, deploymentOptions, readDeployment } from '../deployment-settings.ts'
import { listenForInterrupts } from '../interrupts.ts'
import { loadHost, requireHostFile } from '../load-host.ts'
import { createLog } from '../log.ts'
import { type MetricsAddress, metricsOption, openMetricsEndpoint } from '../metrics-endpoint.ts'
import { alignRows } from '../process-lines.ts'
import { startWorker } from '../run-worker.ts'

type WorkerFlags = ConnectionFlags & DeploymentFlags & { readonly metrics?: MetricsAddress }

export function workerCommand(context: CliContext): Command {
  const command = new Command('worker')
    .description('run one worker until SIGTERM or Ctrl-C, which drain it; a second one stops at once')
    .addOption(hostOption())
    .addOption(metricsOption())
  for (const option of [...temporalOptions(), ...deploymentOptions()]) command.addOption(option)
  return command.action((flags: WorkerFlags) => runWorker(context, flags))
}

async function runWorker({ env, output }: CliContext, { metrics, ...flags }: WorkerFlags): Promise<void> {
  const interrupts = listenForInterrupts()
  const settings = readConnectionSettings(env, flags)
  const { taskQueue } = settings
  const deployment = readDeployment(env, flags)
  const temporal = await settings.temporal()
  const host = await loadHost(requireHostFile(settings))
  await using stack = new AsyncDisposableStack()
  const endpoint = metrics && stack.use(await openMetricsEndpoint(metrics))
  const worker = await startWorker(host, {
    temporal,
    ...(taskQueue === undefined ? {} : { taskQueue }),
    ...(deployment === undefined ? {} : { deployment }),
    cacheDir: cacheFolder(env),
    logger: createLog(output.isJson, env),
    signal: interrupts.signal,
  })
  try {
    const ready = {
      worker: worker.id,
      temporal: { address: temporal.address, namespace: temporal.namespace },
      taskQueue: worker.taskQueue,
      registry: host.registry.description,
      registryId: worker.registryId,
      ...(endpoint === undefined ? {} : { metrics: endpoint.url }),
    }
    output.document({ ready }, () => [
      'The worker is ready. Ctrl-C drains and stops it.',
      ...alignRows([
        ['worker', ready.worker],
        ['temporal', `${temporal.address}, namespace ${temporal.namespace}`],
        ['task queue', ready.taskQueue],
        ['registry', ready.registry],
        ['metrics', endpoint?.url],
        ['kinds', Object.keys(host.engines ?? {}).join(', ') || 'none'],
      ]),
    ])
    const stopped = await Promise.race([interrupts.first, worker.ended])
    if (stopped !== undefined) output.note(`${stopped.signalName}: draining; once more stops at once.`)
  } finally {
    await worker.stop()
  }
}
