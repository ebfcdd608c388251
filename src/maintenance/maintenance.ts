import type { ExecutionEnvironment } from '../execution/environment.ts'
import { createBlobCollector } from './collect-blobs.ts'
import { Pruner, type Retention } from './pruner.ts'
import { TriggerDriver } from './trigger-driver.ts'
import { WakeDeliverer } from './wake-deliverer.ts'

/** What a worker does for the registry beside running processes. */
export interface Maintenance {
  start(): void
  /** Ends what is in flight. May come first, or twice. */
  stop(): Promise<void>
}

/**
 * `hasBackendSchedules`: a backend tells when schedules occur, and the workers see only to those that it has missed. Throws
 * `host_invalid` for a retention that cannot be meant.
 */
export function createMaintenance(
  environment: ExecutionEnvironment,
  {
    retention,
    hasBackendSchedules = false,
  }: { readonly retention?: Retention | undefined; readonly hasBackendSchedules?: boolean } = {},
): Maintenance {
  const works = [
    new WakeDeliverer(environment),
    new TriggerDriver(environment, { hasBackendSchedules }),
    new Pruner(environment, retention),
    createBlobCollector(environment),
  ]
  return {
    start: () => {
      for (const work of works) work.start()
    },
    stop: async () => void (await Promise.all(works.map(work => work.stop()))),
  }
}
