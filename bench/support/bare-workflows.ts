import { proxyActivities } from '@temporalio/workflow'
import type { BareActivities } from './bare-activities.ts'
import { BARE_HEARTBEAT_TIMEOUT_MS } from './settings.ts'

const { noop, monotonicMs } = proxyActivities<BareActivities>({ startToCloseTimeout: '1 minute' })
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

export const wait = (): Promise<void> => beating.wait()

export const crash = (): Promise<number> => beating.crash()
