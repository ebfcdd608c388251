import {
  condition,
  defineSignal,
  proxyActivities,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import type { BareActivities } from './bare-activities.ts'
import { BARE_HEARTBEAT_TIMEOUT_MS } from './settings.ts'

const { noop, monotonicMs, tellRunning, tellEnding } = proxyActivities<BareActivities>({
  startToCloseTimeout: '1 minute',
})
const beating = proxyActivities<BareActivities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: BARE_HEARTBEAT_TIMEOUT_MS,
})

export const oneActivity = (value: number): Promise<number> => noop(value)

/** No-op activities in a row; returns the milliseconds of one. */
export async function activities(count: number): Promise<number> {
  const begun = await monotonicMs()
  for (let index = 0; index < count - 2; index++) await noop(index)
  return ((await monotonicMs()) - begun) / (count - 1)
}

const go = defineSignal('go')

async function waitForGo(): Promise<void> {
  let isTold = false
  setHandler(go, () => {
    isTold = true
  })
  await condition(() => isTold)
}

/** Waits for a signal, and says when it has it. */
export async function listen(): Promise<void> {
  await waitForGo()
  await tellRunning()
}

/** Waits for a child, and says when it has its result. */
export async function parent(): Promise<void> {
  const started = await startChild(child, { workflowId: `${workflowInfo().workflowId}.child` })
  await started.result()
  await tellRunning()
}

/** Ends when it is told to, and says when that is. */
export async function child(): Promise<void> {
  await waitForGo()
  await tellEnding()
}

export const wait = (): Promise<void> => beating.wait()

export const crash = (): Promise<number> => beating.crash()
