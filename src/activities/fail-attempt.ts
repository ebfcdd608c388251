import { ActivityNotFoundError, type AsyncCompletionClient } from '@temporalio/client'
import type { FailOrphan } from '../execution/death-watch.ts'
import type { TaskBackend } from '../maintenance/lost-tasks.ts'
import { tryAgain } from './failures.ts'

/** Fails a dead worker's attempt by its task token: the server then starts the next one, at once. */
export const createFailOrphan =
  (completion: AsyncCompletionClient): FailOrphan =>
  async ({ backendToken, retryInMs }) => {
    const token = Buffer.from(backendToken, 'base64')
    const failure = tryAgain('process_lease_lost', 'The worker of this attempt died.', retryInMs)
    return (await unlessGone(() => completion.fail(token, failure))) ? 'failed' : 'gone'
  }

/** The same by its id, for a task that nobody has begun and whose token is written down nowhere. */
export const createFailTask =
  (completion: AsyncCompletionClient): TaskBackend['failTask'] =>
  async (workflowId, { taskId: activityId }) => {
    const failure = tryAgain('process_lease_lost', 'The worker that had this task died before it began.', 0)
    await unlessGone(() => completion.fail({ workflowId, activityId }, failure))
  }

/** False: the server does not know the attempt any more, or nobody has it. */
async function unlessGone(fail: () => Promise<void>): Promise<boolean> {
  try {
    await fail()
    return true
  } catch (error) {
    if (error instanceof ActivityNotFoundError) return false
    throw error
  }
}
