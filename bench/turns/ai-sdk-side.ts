import { randomUUID } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, Connection, type WorkflowHandle } from '@temporalio/client'
import type { Surroundings } from '../support/bench.ts'
import { startWorker } from '../support/children.ts'
import { installPackages } from '../support/install-packages.ts'
import { AI_SDK_TASK_QUEUE, AI_SDK_WORKFLOWS } from '../support/settings.ts'

export const AI_SDK = '@temporalio/ai-sdk@1.23.0'

/** It asks for the SDK of its own version; the AI SDK itself is the one that our side has. */
const PACKAGES = [AI_SDK, '@temporalio/worker@1.23.0', '@temporalio/workflow@1.23.0', same('ai'), same('zod')]

export interface AiSdkSide extends AsyncDisposable {
  startTurn(): Promise<WorkflowHandle>
}

/**
 * Temporal's own AI SDK integration on the same server: a connection of its own, its worker in an OS process of its own.
 * `undefined`: it cannot be installed here.
 */
export async function openAiSdkSide({ address, folder }: Surroundings): Promise<AiSdkSide | undefined> {
  const installed = join(folder, 'ai-sdk')
  if (!(await installPackages(installed, PACKAGES))) return undefined
  const workflows = fileURLToPath(new URL(AI_SDK_WORKFLOWS, import.meta.url))
  await copyFile(workflows, join(installed, AI_SDK_WORKFLOWS))
  const worker = await startWorker('../turns/ai-sdk-worker.ts', [address, installed])
  const connection = await Connection.connect({ address })
  const client = new Client({ connection })
  return {
    startTurn: () =>
      client.workflow.start('turn', { taskQueue: AI_SDK_TASK_QUEUE, workflowId: randomUUID() }),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]()
      await connection.close()
    },
  }
}

function same(name: string): string {
  const { version }: { version: string } = createRequire(import.meta.url)(`${name}/package.json`)
  return `${name}@${version}`
}
