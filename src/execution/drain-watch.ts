import { isTransient, messageOf } from '../model/errors.ts'
import type { ExecutionEnvironment } from './environment.ts'

/** How often a worker looks whether somebody wants it to stop. */
export const DRAIN_CHECK_MS = 250

/** Looks for a durable request that this worker stops, and passes it on once. */
export class DrainWatch {
  readonly #environment: ExecutionEnvironment
  readonly #onRequest: () => void
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | undefined

  constructor(environment: ExecutionEnvironment, onRequest: () => void) {
    this.#environment = environment
    this.#onRequest = onRequest
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#checking ??= this.#check().finally(() => {
        this.#checking = undefined
      })
    }, DRAIN_CHECK_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#checking
  }

  async #check(): Promise<void> {
    const { registry, worker, logger } = this.#environment
    try {
      const request = await registry.drainOf(worker.incarnationId)
      if (request === undefined || this.#timer === undefined) return
      clearInterval(this.#timer)
      this.#timer = undefined
      logger.warn('draining, as somebody asked', { worker: worker.ownerId, by: request.requestedBy })
      this.#onRequest()
    } catch (error) {
      if (!isTransient(error)) logger.error('cannot look for a drain request', { error: messageOf(error) })
    }
  }
}
