import { DueWatch, REGULAR_PASS_MS } from '../execution/due-watch.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import type { ProcessRunner } from '../execution/runner.ts'
import type { ProcessRunHandle } from '../execution/submit.ts'
import { messageOf } from '../model/errors.ts'
import { Duty } from './duty.ts'
import { sweepOnce } from './sweep.ts'

/** What is looked after beside the sweep, by whoever sweeps. */
export interface SweepCompanion {
  /** At each pass. What takes long goes on beside it. */
  pass(): void | Promise<void>
  /** Somebody else sweeps. */
  forget(): void
  /** Ends the look in flight. */
  stop(): Promise<void>
}

/**
 * Sweeps every second, at the next due time, and at once when a change may have made something due. Of all the workers
 * of a registry one at a time does it.
 */
export class Sweeper {
  readonly #environment: ExecutionEnvironment
  readonly #runner: ProcessRunner
  readonly #handle: ProcessRunHandle
  readonly #duty: Duty
  readonly #watch: DueWatch
  readonly #companions: readonly SweepCompanion[]

  constructor(
    environment: ExecutionEnvironment,
    runner: ProcessRunner,
    handle: ProcessRunHandle,
    companions: readonly SweepCompanion[] = [],
  ) {
    this.#environment = environment
    this.#runner = runner
    this.#handle = handle
    this.#duty = new Duty(environment, 'sweep')
    this.#watch = new DueWatch(environment.registry, { pass: () => this.#sweep() })
    this.#companions = companions
  }

  start(): void {
    this.#watch.start()
  }

  /** Ends the pass in flight. */
  async stop(): Promise<void> {
    await this.#watch.stop()
    await Promise.all(this.#companions.map(companion => companion.stop()))
    await this.#duty.release()
  }

  async #sweep(): Promise<number> {
    const { registry, logger } = this.#environment
    try {
      if (!(await this.#duty.take())) {
        for (const companion of this.#companions) companion.forget()
        return REGULAR_PASS_MS
      }
      for (const companion of this.#companions) await companion.pass()
      const report = await sweepOnce(this.#environment, this.#runner, this.#handle)
      for (const { id, reason } of report.failed)
        logger.warn('not submitted; the row stays due', { processId: id, reason })
      // What failed stays due: it waits for the next regular pass instead of being tried in a loop.
      if (report.failed.length > 0) return REGULAR_PASS_MS
      return (await registry.msUntilDue()) ?? REGULAR_PASS_MS
    } catch (error) {
      logger.warn('sweep failed; trying again', { error: messageOf(error) })
      return REGULAR_PASS_MS
    }
  }
}
