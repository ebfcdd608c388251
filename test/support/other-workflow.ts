/** What a deploy gone wrong leaves on a queue: another workflow under our type's name, which fails at once for some. */
import { ApplicationFailure, sleep } from '@temporalio/workflow'

async function otherWorkflow({ processId }: { readonly processId: string }): Promise<void> {
  if (processId.startsWith('poison')) throw ApplicationFailure.nonRetryable('it always does')
  await sleep('1 hour')
}

export { otherWorkflow as process }
