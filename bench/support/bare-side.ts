import { randomUUID } from 'node:crypto'
import { Client, Connection, type WorkflowHandle } from '@temporalio/client'
import type { Workflow } from '@temporalio/common'
import type * as workflows from './bare-workflows.ts'
import type { Surroundings } from './bench.ts'
import { startWorker, type WorkerProcess } from './children.ts'
import { BARE_TASK_QUEUE } from './settings.ts'

export interface BareSide extends AsyncDisposable {
  start(name: keyof typeof workflows, ...args: readonly number[]): Promise<WorkflowHandle>
  startWorker(): Promise<WorkerProcess>
}

/** The reference's side: the same server, a connection of its own, and workers in OS processes of their own. */
export async function openBareSide({ address }: Surroundings): Promise<BareSide> {
  const connection = await Connection.connect({ address })
  const client = new Client({ connection })
  const workers: WorkerProcess[] = []
  return {
    start: (name, ...args) =>
      client.workflow.start<Workflow>(name, {
        taskQueue: BARE_TASK_QUEUE,
        workflowId: randomUUID(),
        args: [...args],
      }),
    async startWorker() {
      const worker = await startWorker('bare-worker.ts', [address])
      workers.push(worker)
      return worker
    },
    async [Symbol.asyncDispose]() {
      for (const worker of workers) await worker[Symbol.asyncDispose]()
      await connection.close()
    },
  }
}
