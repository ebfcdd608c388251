import type { Submission } from '../execution/submit.ts'
import type { ProcessRecord } from '../model/process.ts'

/** How a client's processes come to run, beside the registry's writes that ask for it. */
export interface ClientBackend {
  /** Nobody submits what is registered: the workers find it on the registry's worklist. */
  readonly isWorklistOnly: boolean
  /** Has the process run soon. Throws what its caller should hear of; the row stays due, so nothing is lost. */
  submit(process: Submission): Promise<void>
  /** A write made the row due: has it run soon. Best effort: a sweep finds it as well. */
  tellDue(record: ProcessRecord): Promise<void>
  /**
   * Tells of a cancel that the registry has recorded. Best effort: the worker's own watch hears of it as well. `isDue`:
   * no attempt runs that could, so somebody must act on it.
   */
  passCancelOn(record: ProcessRecord, options: { readonly isDue: boolean }): Promise<void>
}
