import type { ExecutionEnvironment } from '../execution/environment.ts'
import { isLeaseholdError, messageOf } from '../model/errors.ts'
import { hasAnyGone, isLost, type PendingTask } from '../model/lost-task.ts'
import type { SweepCompanion } from './sweeper.ts'

/** What a backend that hands out tasks can say of them. */
export interface TaskBackend {
  /** The tasks of the process's open run, if it is this registry's. */
  pendingTasks(processId: string): Promise<readonly PendingTask[]>
  /** Has the backend give the task to another worker at once. One that nobody has any more is left alone. */
  failTask(processId: string, task: PendingTask): Promise<void>
}

/** How often it is looked who is announced. */
const WORKERS_EVERY_MS = 500
/**
 * After somebody has gone: at once, again when the server must have missed it too and no longer hands it anything, and when
 * the sweep has submitted what had its attempt failed and went to it once more.
 */
const LOOKS_AFTER_MS = [0, 1_000, 4_000]
/** After a look that the server did not answer. */
const AGAIN_MS = 1_000
/** A backend gives its tasks out in their order, so those that may be lost are among the first. */
const MOST = 256
const WIDTH = 8

/**
 * Looks for tasks that a worker was given just as it died. Only when a worker has gone: else the backend is asked nothing.
 * For whoever sweeps, so that one at a time does it.
 */
export class LostTasks implements SweepCompanion {
  readonly #environment: ExecutionEnvironment
  readonly #backend: TaskBackend
  #announced: ReadonlySet<string> | undefined
  #sawWorkersAt = Number.NEGATIVE_INFINITY
  #looksAt: readonly number[] = []
  #looking: Promise<void> | undefined

  constructor(environment: ExecutionEnvironment, backend: TaskBackend) {
    this.#environment = environment
    this.#backend = backend
  }

  /** Call at each pass of the sweep. The look itself goes on beside it: a server that answers late holds nothing up. */
  async pass(): Promise<void> {
    const now = performance.now()
    if (this.#looking !== undefined || now < this.#sawWorkersAt + WORKERS_EVERY_MS) return
    this.#sawWorkersAt = now
    const announced = await this.#announcedNow()
    if (hasAnyGone(this.#announced, announced)) this.#looksAt = LOOKS_AFTER_MS.map(ms => now + ms)
    this.#announced = announced
    if (!this.#looksAt.some(at => at <= now)) return
    this.#looksAt = this.#looksAt.filter(at => at > now)
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined
    })
  }

  /** Somebody else sweeps: who comes and goes meanwhile is not seen. */
  forget(): void {
    this.#announced = undefined
    this.#looksAt = []
  }

  /** Ends the look in flight. */
  async stop(): Promise<void> {
    this.forget()
    await this.#looking
  }

  async #announcedNow(): Promise<ReadonlySet<string>> {
    const rows = await this.#environment.registry.workers()
    return new Set(rows.map(({ worker }) => worker.ownerId))
  }

  async #look(): Promise<void> {
    const { registry, logger } = this.#environment
    let isServerGone = false
    const lookAt = async (id: string): Promise<void> => {
      try {
        await this.#lookAt(id)
      } catch (error) {
        if (isLeaseholdError(error, 'temporal_unreachable')) isServerGone = true
        else logger.warn('cannot see whether a task was lost', { processId: id, error: messageOf(error) })
      }
    }
    try {
      const rows = (await registry.notBegun(MOST)).values()
      // The iterator is shared: each takes the next row when it is done with one.
      const take = async () => {
        for (const { record } of rows) {
          if (isServerGone) return
          await lookAt(record.id)
        }
      }
      await Promise.all(Array.from({ length: WIDTH }, take))
    } catch (error) {
      logger.warn('cannot look for lost tasks', { error: messageOf(error) })
    }
    if (isServerGone) this.#looksAt = [performance.now() + AGAIN_MS]
  }

  async #lookAt(id: string): Promise<void> {
    const { registry, logger } = this.#environment
    const tasks = await this.#backend.pendingTasks(id)
    if (tasks.every(({ givenTo }) => givenTo === undefined || this.#announced?.has(givenTo))) return
    // Now, after the tasks: it may have begun, and a worker that is new have been announced.
    const [{ stored }, announced] = await Promise.all([registry.situation(id), this.#announcedNow()])
    for (const task of tasks) {
      if (!isLost(task, stored, announced)) continue
      await this.#backend.failTask(id, task)
      logger.warn('a task went to a worker as it died; another one gets it', {
        processId: id,
        worker: task.givenTo,
      })
    }
  }
}
