import { unknownEffects } from '../model/journal.ts'
import { asJson } from '../model/json.ts'
import type { Outcome } from '../model/outcome.ts'
import type { StoredProcess } from '../model/process.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { Logger } from '../runtime/logger.ts'
import { ChildProcesses } from './child-processes.ts'
import { cancelledError } from './outcome-of.ts'

/**
 * What makes a forced cancel more than a request. Code cannot be stopped from outside in its own OS process: when its
 * grace is over, what it started as processes of their own is killed, the attempt ends without it, and the outcome says
 * that it was not seen to stop.
 */
export class ForcedCancel {
  readonly children = new ChildProcesses()
  readonly #graceMs: number
  readonly #logger: Logger
  readonly #onOver: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(graceMs: number, logger: Logger, onOver: () => void) {
    this.#graceMs = graceMs
    this.#logger = logger
    this.#onOver = onOver
  }

  /** The cancel is a forced one: from now on the grace runs. */
  arm(): void {
    this.#timer ??= setTimeout(() => {
      const killed = this.children.kill()
      this.#logger.warn('forced cancel: the attempt ends without its code', { childProcessesKilled: killed })
      this.#onOver()
    }, this.#graceMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** `stopped: false`: the code may still be at it, and nobody waits for it. */
export async function outcomeOfForcedCancel(
  registry: ProcessRegistry,
  { record: { id } }: StoredProcess,
): Promise<Outcome> {
  const record = await registry.get(id)
  const effects = unknownEffects(await registry.journal(id))
  return {
    status: 'cancelled',
    message: cancelledError(record?.cancelRequest?.reason).message,
    raw: asJson({ stopped: false, ...(effects.length === 0 ? {} : { unknownEffects: effects }) }),
  }
}
