import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { inject } from 'vitest'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createProcessClient, type LeaseTimings, type ProcessClient } from '../../src/index.ts'
import type { WatchedRegistry } from '../../src/registry/watch.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { crashHost, crashHostOn } from './crash-host.ts'
import { eventually } from './eventually.ts'
import { type Mark, readMarks } from './marks.ts'
import { TEMPORAL_METADATA } from './scan/run-secrets.ts'
import { type SpawnOptions, spawnWorker, type WorkerProcess } from './spawn-worker.ts'
import { temporaryFolder } from './temporary-folder.ts'

type Engines = NonNullable<ReturnType<typeof crashHost>['engines']>

/** A client here, and workers in OS processes of their own, on one registry file. */
export interface CrashWorld extends AsyncDisposable {
  readonly folder: string
  readonly registryPath: string
  readonly address: string
  readonly registry: WatchedRegistry
  readonly temporal: Client
  readonly processes: ProcessClient<Engines>
  spawnWorker(options?: Partial<SpawnOptions>): Promise<WorkerProcess>
  /** Waits until code has said so, so many times. */
  marks(what: string, count?: number): Promise<Mark[]>
  eventTypes(id: string): Promise<readonly string[]>
}

export async function openCrashWorld(
  options: {
    readonly leaseTimings?: LeaseTimings
    readonly address?: string
    /** `postgres://…`. Default: a file of its own. */
    readonly registryUrl?: string
  } = {},
): Promise<CrashWorld> {
  const { address = inject('temporalAddress'), leaseTimings, registryUrl } = options
  const timings = leaseTimings === undefined ? {} : { leaseTimings }
  const folder = await temporaryFolder()
  const registryPath = join(folder, 'leasehold.db')
  const host =
    registryUrl === undefined ? crashHost(registryPath) : crashHostOn(parseRegistryAddress(registryUrl))
  const connection = await Connection.connect({ address, metadata: TEMPORAL_METADATA })
  const temporal = new Client({ connection })
  const processes = createProcessClient({ host, temporal, ...timings })
  const { registry, release } = await borrowRegistry(host.registry)
  return {
    folder,
    registryPath,
    address,
    registry,
    temporal,
    processes,
    spawnWorker: more =>
      spawnWorker({
        registryPath,
        ...(registryUrl === undefined ? {} : { registryUrl }),
        address,
        ...timings,
        ...more,
      }),
    marks: (what, count = 1) =>
      eventually(() => {
        const found = readMarks(folder, what)
        if (found.length < count) throw new Error(`"${what}" was said ${found.length} times, not ${count}`)
        return found
      }),
    eventTypes: async id => (await registry.eventsAfter(id, 0)).map(event => event.eventType),
    [Symbol.asyncDispose]: async () => {
      await processes[Symbol.asyncDispose]()
      await release()
      await connection.close()
    },
  }
}
