import { proxyActivities, sleep } from '@temporalio/workflow'
import type { ProcessActivities, ProcessWorkflowInput } from '../../src/contract.ts'

const { runProcess } = proxyActivities<Pick<ProcessActivities, 'runProcess'>>({
  startToCloseTimeout: '1 day',
})

/** Our workflow as a careless change would leave it: a timer comes first, which no history of today has. */
async function otherProcess(input: ProcessWorkflowInput): Promise<unknown> {
  await sleep('1 second')
  return runProcess(input)
}

export { otherProcess as process }
