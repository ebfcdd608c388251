import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { REGISTRY_MEMO, WORKFLOW_TYPE } from '../contract.ts'
import type { TaskBackend } from '../maintenance/lost-tasks.ts'
import { CALL_TIMEOUT_MS, temporalError } from './temporal-errors.ts'

/** The activities of a process's open workflow, with whom the server gave them to. */
export const createPendingTasks =
  (client: Client, registryId: string): TaskBackend['pendingTasks'] =>
  async processId => {
    const found = await describe(client, processId)
    // Another deployment's: its workers are none of this registry's.
    if (found?.type !== WORKFLOW_TYPE || found.memo?.[REGISTRY_MEMO] !== registryId) return []
    return (found.raw.pendingActivities ?? []).map(({ activityId, lastStartedTime, lastWorkerIdentity }) => ({
      taskId: activityId ?? '',
      // One that waits for its next attempt still names the worker of the one before.
      ...(lastStartedTime == null || lastWorkerIdentity == null ? {} : { givenTo: lastWorkerIdentity }),
    }))
  }

async function describe(client: Client, processId: string) {
  const workflow = client.workflow.getHandle(processId)
  try {
    return await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => workflow.describe())
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw temporalError(error, processId)
  }
}
