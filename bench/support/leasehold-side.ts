import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { createProcessClient, type ProcessClient } from '../../src/index.ts'
import type { Surroundings } from './bench.ts'
import { startWorker, type WorkerProcess } from './children.ts'
import { createBenchHost } from './leasehold-host.ts'

export interface LeaseholdSide extends AsyncDisposable {
  readonly processes: ProcessClient<NonNullable<ReturnType<typeof createBenchHost>['engines']>>
  readonly temporal: Client
  startWorker(): Promise<WorkerProcess>
}

/** Our side of a bench: a registry file of its own, a client here, and workers in OS processes of their own. */
export async function openLeaseholdSide({ address, folder }: Surroundings): Promise<LeaseholdSide> {
  const registryPath = join(folder, 'registry.db')
  const connection = await Connection.connect({ address })
  const temporal = new Client({ connection })
  const processes = createProcessClient({ host: createBenchHost(registryPath), temporal })
  const workers: WorkerProcess[] = []
  return {
    processes,
    temporal,
    async startWorker() {
      const worker = await startWorker('leasehold-worker.ts', [address, registryPath])
      workers.push(worker)
      return worker
    },
    async [Symbol.asyncDispose]() {
      for (const worker of workers) await worker[Symbol.asyncDispose]()
      await processes[Symbol.asyncDispose]()
      await connection.close()
    },
  }
}
