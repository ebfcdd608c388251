import { isTransient, messageOf } from '../model/errors.ts'
import type { DeadAttempt } from '../registry/registry.ts'
import type { ExecutionEnvironment } from './environment.ts'
import { isProvablyDead } from './liveness.ts'

/** How often the workers of this host are looked at: half of it is what a crash waits for on average. */
export const DEATH_CHECK_MS = 250

/** Fails an attempt in its backend, so that the backend starts the next one. `gone`: it does not know the attempt. */
export type FailOrphan = (orphan: DeadAttempt) => Promise<'failed' | 'gone'>

/**
 * Looks after the workers of its own host. When the operating system says that one is dead, its leases are cleared
 * first, with the proof on record; only then are its attempts failed in the backend. An attempt stays listed until
 * that has worked, and every worker of the host goes on trying.
 */
export class DeathWatch {
  readonly #environment: ExecutionEnvironment
  readonly #failOrphan: FailOrphan | undefined
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | undefined

  /** Without `failOrphan` there is no backend to tell: the rows of the dead are due, which is all that is needed. */
  constructor(environment: ExecutionEnvironment, failOrphan?: FailOrphan) {
    this.#environment = environment
    this.#failOrphan = failOrphan
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#checking ??= this.check().finally(() => {
        this.#checking = undefined
      })
    }, DEATH_CHECK_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#checking
  }

  /** One look at every worker of this host. */
  async check(): Promise<void> {
    const { registry, worker, logger } = this.#environment
    if (worker.liveness.kind === 'opaque') return
    try {
      for (const row of await registry.workersOn(worker.liveness.hostId)) {
        if (row.worker.incarnationId === worker.incarnationId || !isProvablyDead(row.worker, worker)) continue
        const orphans = await registry.proveWorkerDead(row.worker)
        logger.warn('worker proven dead', { worker: row.worker.ownerId, attempts: orphans.length })
      }
      const failOrphan = this.#failOrphan
      if (failOrphan === undefined) return
      for (const orphan of await registry.orphansOn(worker.liveness.hostId))
        await this.#settle(orphan, failOrphan)
    } catch (error) {
      if (!isTransient(error)) logger.error('death watch failed', { error: messageOf(error) })
    }
  }

  async #settle(orphan: DeadAttempt, failOrphan: FailOrphan): Promise<void> {
    const { registry, logger } = this.#environment
    try {
      const result = await failOrphan(orphan)
      await registry.settleOrphan(orphan, { isGone: result === 'gone' })
    } catch (error) {
      logger.warn('an orphaned attempt could not be failed; trying again', {
        processId: orphan.processId,
        error: messageOf(error),
      })
    }
  }
}
