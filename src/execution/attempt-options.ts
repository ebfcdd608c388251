import type { Context } from '../telemetry/spans.ts'
import type { CancelWatch } from './cancel-watch.ts'
import type { clocks } from './lease-keeper.ts'
import type { WorkingSlot } from './working-slots.ts'

/** What an attempt is begun with. */
export interface AttemptOptions {
  readonly sentAt: ReturnType<typeof clocks>
  readonly slot: WorkingSlot
  readonly onRenewed: () => void
  /** What its steps are traced under. */
  readonly traced: Context
  /** The process is new: it has no journal, and what was recorded of it since is known to the watch. */
  readonly fresh?: { readonly cancelWatch: CancelWatch; readonly isEntered: boolean }
}
