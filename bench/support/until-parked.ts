import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessHandle } from '../../src/index.ts'
import { PARK_GRACE_MS } from './settings.ts'

/** Its attempt has ended, and waits for something: its worker has been told so by then, or is about to be. */
export async function untilParked(handle: Pick<ProcessHandle, 'describe'>): Promise<void> {
  while (true) {
    const record = await handle.describe().catch(() => undefined)
    if (record !== undefined && record.waits.length > 0) return sleep(PARK_GRACE_MS)
    await sleep(10)
  }
}
