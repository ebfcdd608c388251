import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, WorkerTuner } from '@temporalio/worker'
import type { WorkingSlots } from '../execution/working-slots.ts'

/**
 * How much the SDK may fetch. Its activity slots are held by whole activities, which for a process that waits is longer
 * than it works; so for each one that rests, another task may come.
 */
export const tunerFor = (slots: WorkingSlots): WorkerTuner => ({
  activityTaskSlotSupplier: activitySlots(slots),
  workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 40 },
  // Occurrences of schedules: short, and no processes.
  localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 16 },
  // Used by nobody.
  nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
})

function activitySlots(slots: WorkingSlots): CustomSlotSupplier<ActivitySlotInfo> {
  /** Polls and activities; the SDK gives each of them back. */
  let permits = 0
  const tryReserve = (): SlotPermit | null => {
    if (permits - slots.resting >= slots.limit) return null
    permits++
    return {}
  }
  const waiters = new Set<() => void>()
  const tell = () => {
    for (const look of waiters) look()
  }
  slots.subscribe(tell)

  return {
    type: 'custom',
    tryReserveSlot: tryReserve,
    reserveSlot: (_, signal) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const permit = tryReserve()
          if (permit !== null) settle(() => resolve(permit))
        }
        const onAbort = () => settle(() => reject(signal.reason))
        const settle = (answer: () => void) => {
          waiters.delete(look)
          signal.removeEventListener('abort', onAbort)
          answer()
        }
        waiters.add(look)
        signal.addEventListener('abort', onAbort, { once: true })
        if (signal.aborted) onAbort()
        else look()
      }),
    markSlotUsed: () => {},
    releaseSlot: () => {
      permits--
      tell()
    },
  }
}
