import type { DevServer, DevServerSource } from '../dev-server/index.ts'
import type { Host } from '../runtime/host.ts'
import { alignRows } from './process-lines.ts'
import type { RunningWorker } from './run-worker.ts'
import type { TemporalSettings } from './temporal-settings.ts'

interface Ready {
  readonly server: DevServer
  readonly temporal: TemporalSettings
  readonly temporalDb: string | undefined
  readonly host: Host | undefined
  readonly worker: RunningWorker | undefined
}

/** Every address of `dev`, once for programs and once for people. */
export function describeReady({ server, temporal, temporalDb, host, worker }: Ready) {
  const { uiAddress, source, pid } = server
  const facts = {
    temporal: {
      address: temporal.address,
      namespace: temporal.namespace,
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
