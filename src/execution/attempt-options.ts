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
  /** It has listened since before the attempt was begun, so that no cancel is missed, and none has to be looked for. */
  readonly cancelWatch: CancelWatch
}
