import { DueWatch, REGULAR_PASS_MS } from '../execution/due-watch.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import type { ProcessRunner } from '../execution/runner.ts'
import type { ProcessRunHandle } from '../execution/submit.ts'
import { messageOf } from '../model/errors.ts'
import { Duty } from './duty.ts'
import { LostTasks, type TaskBackend } from './lost-tasks.ts'
import { sweepOnce } from './sweep.ts'

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
  readonly #lostTasks: LostTasks | undefined

  /** `tasks`: of a backend that hands tasks out, which may be lost with whom it gave them to. */
  constructor(
    environment: ExecutionEnvironment,
    runner: ProcessRunner,
    handle: ProcessRunHandle,
    tasks?: TaskBackend,
  ) {
    this.#environment = environment
    this.#runner = runner
    this.#handle = handle
    this.#duty = new Duty(environment, 'sweep')
    this.#watch = new DueWatch(environment.registry, { pass: () => this.#sweep() })
    this.#lostTasks = tasks && new LostTasks(environment, tasks)
  }

  start(): void {
    this.#watch.start()
  }

  /** Ends the pass in flight. */
  async stop(): Promise<void> {
    await this.#watch.stop()
    await this.#lostTasks?.stop()
    await this.#duty.release()
  }

  async #sweep(): Promise<number> {
    const { registry, logger } = this.#environment
    try {
      if (!(await this.#duty.take())) {
        this.#lostTasks?.forget()
        return REGULAR_PASS_MS
      }
      await this.#lostTasks?.pass()
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
