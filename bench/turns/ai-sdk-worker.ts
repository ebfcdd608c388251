/** node ai-sdk-worker.ts <server address> <folder with its packages>: a worker of Temporal's own AI SDK integration. */
import { join } from 'node:path'
import type { WorkerOptions } from '@temporalio/worker'
import { createTurnModel, runLook } from '../support/agent-turn.ts'
import { entryOf } from '../support/install-packages.ts'
import { runWorker, type WorkerSdk } from '../support/run-worker.ts'
import { AI_SDK_TASK_QUEUE, AI_SDK_WORKFLOWS, BARE_WORKER_SETTINGS } from '../support/settings.ts'

/** What of the package this uses: it is installed for the bench, so its own types are not there. */
interface AiSdk {
  readonly AiSdkPlugin: new (options: {
    readonly modelProvider: {
      readonly specificationVersion: 'v4'
      languageModel(modelId: string): ReturnType<typeof createTurnModel>
    }
  }) => NonNullable<WorkerOptions['plugins']>[number]
}

const [, , address = '', folder = ''] = process.argv
const sdk: WorkerSdk = await import(entryOf(folder, '@temporalio/worker'))
const { AiSdkPlugin }: AiSdk = await import(entryOf(folder, '@temporalio/ai-sdk'))
const model = createTurnModel()

await runWorker(sdk, address, async connection => {
  const worker = await sdk.Worker.create({
    connection,
    taskQueue: AI_SDK_TASK_QUEUE,
    workflowsPath: join(folder, AI_SDK_WORKFLOWS),
    plugins: [new AiSdkPlugin({ modelProvider: { specificationVersion: 'v4', languageModel: () => model } })],
    activities: { runLook },
    ...BARE_WORKER_SETTINGS,
  })
  return { run: () => worker.run(), stop: () => worker.shutdown() }
})
