import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client'
import type { Workflow } from '@temporalio/common'
import type * as workflows from './bare-workflows.ts'
import type { Surroundings } from './bench.ts'
import { startWorker, type WorkerProcess } from './children.ts'
import { BARE_TASK_QUEUE } from './settings.ts'

export interface BareSide extends AsyncDisposable {
  start(name: keyof typeof workflows, ...args: readonly number[]): Promise<WorkflowHandle>
  untilStarted(id: string): Promise<void>
  signal(id: string, name: string): Promise<void>
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
    untilStarted: async id => {
      while (!(await isThere(client.workflow.getHandle(id)))) await sleep(20)
    },
    signal: (id, name) => client.workflow.getHandle(id).signal(name),
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

async function isThere(workflow: WorkflowHandle): Promise<boolean> {
  try {
    await workflow.describe()
    return true
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  }
}
