import type { ExecutionEnvironment } from '../execution/environment.ts'
import { messageOf } from '../model/errors.ts'
import { Duty } from './duty.ts'
import type { PagingOptions } from './prune.ts'

export interface DutyTimerOptions {
  /** Of the duty, and for the log. */
  readonly name: string
  readonly everyMs: number
  /** One pass, page by page. What it throws is logged, and the next pass comes in its time. */
  readonly pass: (paging: PagingOptions) => Promise<void>
}

/** Does a duty of the registry when its worker starts, and then again and again. Of all workers one at a time does it. */
export class DutyTimer {
  readonly #environment: ExecutionEnvironment
  readonly #options: DutyTimerOptions
  readonly #duty: Duty
  #timer: NodeJS.Timeout | undefined
  #passing: Promise<void> | undefined
  #isStopped = true

  constructor(environment: ExecutionEnvironment, options: DutyTimerOptions) {
    this.#environment = environment
    this.#options = options
    this.#duty = new Duty(environment, options.name)
  }

  start(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    const look = () => {
      this.#passing ??= this.#pass().finally(() => {
        this.#passing = undefined
      })
    }
    this.#timer = setInterval(look, this.#options.everyMs)
    look()
  }

  /** Ends after the page in flight. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#passing
    await this.#duty.release()
  }

  async #pass(): Promise<void> {
    const { name, pass } = this.#options
    try {
      if (!(await this.#duty.take())) return
      // Between pages the duty is extended: a pass may take longer than its lease.
      await pass({ mayGoOn: async () => !this.#isStopped && (await this.#duty.take()) })
    } catch (error) {
      this.#environment.logger.warn(`the duty "${name}" failed; trying again later`, {
        error: messageOf(error),
      })
    }
  }
}
