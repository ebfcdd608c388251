import type { StartedHere } from '../execution/inline-run-handle.ts'
import type { ProcessRecord } from '../model/process.ts'
import type { RegistrationRequest } from '../model/registration.ts'
import type { RegisterOptions } from '../registry/registry.ts'

/** How a client's processes come to run, beside the registry's writes that ask for it. */
export interface ClientBackend {
  /**
   * Registers the process and has it run soon. Throws what its caller should hear of; once it is registered nothing is
   * lost by that, since its row is due.
   */
  start(registration: RegistrationRequest, options: RegisterOptions): Promise<StartedHere>
  /** `tellDue` has the row run by itself; else it is the workers who take what is due. */
  readonly submitsDue: boolean
  /** A write made the row due: has it run soon. Best effort: a sweep finds it as well. */
  tellDue(record: ProcessRecord): Promise<void>
  /**
   * Tells of a cancel that the registry has recorded. Best effort: the worker's own watch hears of it as well. `isDue`:
   * no attempt runs that could, so somebody must act on it.
   */
  passCancelOn(record: ProcessRecord, options: { readonly isDue: boolean }): Promise<void>
}
