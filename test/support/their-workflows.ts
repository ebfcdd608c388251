/** The workflows of a team that has Temporal already, with ours in the same bundle. */
import { proxyActivities } from '@temporalio/workflow'

export * from '../../src/workflows/index.ts'

const { greet } = proxyActivities<{ greet(name: string): Promise<string> }>({
  startToCloseTimeout: '1 minute',
})

export const greeting = (name: string): Promise<string> => greet(name)
