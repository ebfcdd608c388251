import type { Flow } from '../model/flow.ts'
import type { Json } from '../model/json.ts'
import type { Disposition, ProcessIdentity } from '../model/process.ts'
import type { ProcessContext } from './context.ts'
import type { ProcessEnvironment } from './environment.ts'
import type { Schema } from './schema.ts'
import type { Wakes } from './wakes.ts'

/** A kind of process that the host runs itself: a plain async function over a context. */
export interface Engine<Input = never, Parsed = Input, Output = unknown> {
  readonly disposition: RunnableDisposition
  readonly input?: Schema<Input, Parsed>
  /**
   * Event types that `ctx.emit` may use, and signals that may be sent, as `signal.<name>`; each with its payload's JSON
   * Schema (`true`: anything).
   */
  readonly events?: Readonly<Record<string, Json>>
  /**
   * Events that wake the session which the process was started from: of types declared in `events`, and of the core ones
   * such as `process.completed`. Default: none. Silence wakes it in any case.
   */
  readonly wakes?: Wakes
  /** Default: no limit. See `ProcessRegistration.maxAttempts`. */
  readonly maxAttempts?: number
  /** What each start gets that does not say otherwise: the same for all, or by the input. Default: none. */
  readonly flow?: Flow | ((input: Parsed) => Flow)
  /**
   * At each start, after `input` was checked: refuses it by throwing, in view of the captured environment, or tells how
   * people shall see the process and which definition it runs.
   */
  identify?(input: Parsed, environment: ProcessEnvironment): EngineIdentity | Promise<EngineIdentity>
  run(ctx: ProcessContext<Parsed>): Promise<Output> | Output
}

export type EngineIdentity = Omit<ProcessIdentity, 'kind'>

/** What this system may run at all. */
export type RunnableDisposition = Exclude<Disposition, 'externally_owned'>

/**
 * Declares a kind. The disposition has no default: only its author knows whether running it again is safe.
 * `input` is checked when a process is started, by any Standard Schema.
 */
export const defineEngine = <Input, Parsed, Output>(
  engine: Engine<Input, Parsed, Output>,
): Engine<Input, Parsed, Output> => engine
