import type { DevServerOptions } from './dev-server.ts'
import { LOOPBACK } from './free-ports.ts'

export interface ServerPorts {
  readonly frontend: number
  /** Absent: no UI. */
  readonly ui?: number
}

/**
 * The dev server's one history shard polls each of its queues at most 20 times a second, so that every dispatch
 * waits up to 50 ms: a workflow of one activity takes 150 ms instead of 20. One partition of each task queue
 * spares the hop between partitions, which serves only rates that this server never sees.
 */
const TUNING = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 2000,
  'history.outboundProcessorMaxPollRPS': 2000,
  // A retry is a timer, and timers are looked at in steps of this length: by default up to a second late.
  'history.timerProcessorMaxTimeShift': '"10ms"', // the value is JSON
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
} as const

/** Off by default in 1.29: without them priorities and fairness keys are accepted and ignored. */
const ORDER = {
  'matching.useNewMatcher': true,
  'matching.enableFairness': true,
} as const

/** The arguments of the Temporal CLI. `--log-level error`: silent in health, but says why it does not start. */
export function serverArguments(ports: ServerPorts, options: DevServerOptions): string[] {
  const { dbFilename, namespaces = [], extraArgs = [] } = options
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(ports.frontend), '--log-level', 'error'],
    ...(ports.ui === undefined ? ['--headless'] : ['--ui-port', String(ports.ui)]),
    ...(dbFilename === undefined ? [] : ['--db-filename', dbFilename]),
    ...namespaces.flatMap(name => ['--namespace', name]),
    ...Object.entries({ ...TUNING, ...ORDER }).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${value}`,
    ]),
    ...extraArgs,
  ]
}
