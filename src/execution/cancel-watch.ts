import { messageOf } from '../model/errors.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import type { Logger } from '../runtime/logger.ts'
import { cancelledError } from './outcome-of.ts'

/**
 * Fires when a cancel of the process is recorded, whenever that was. A failing look is a warning: the attempt goes on,
 * and the next change is another chance.
 */
export class CancelWatch {
  readonly #registry: WatchedRegistry
  readonly #processId: string
  readonly #logger: Logger
  readonly #onCancel: (error: Error) => void
  #unsubscribe: (() => void) | undefined
  #cancel: { readonly reason: string } | undefined
  #looking: Promise<void> | undefined
  #isTicked = false

  constructor(
    registry: WatchedRegistry,
    processId: string,
    logger: Logger,
    onCancel: (error: Error) => void,
  ) {
    this.#registry = registry
    this.#processId = processId
    this.#logger = logger
    this.#onCancel = onCancel
  }

  /** The cancel that was seen, if any. */
  get cancel(): { readonly reason: string } | undefined {
    return this.#cancel
  }

  /** Subscribes first and looks after, so that a cancel in between is seen. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#registry.hub.subscribe(this.#processId, change => {
      if (change === undefined || change.isCancelRequested) this.check()
    })
    this.check()
    await this.#looking
  }

  check(): void {
    this.#isTicked = true
    this.#lookOnce()
  }

  #lookOnce(): void {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      // A tick may have come after the last look and before this.
      if (this.#isTicked && this.#cancel === undefined) this.#lookOnce()
    })
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  async #look(): Promise<void> {
    try {
      while (this.#isTicked && this.#cancel === undefined) {
        this.#isTicked = false
        const request = (await this.#registry.get(this.#processId))?.cancelRequest
        if (request === undefined) continue
        const error = cancelledError(request.reason)
        this.#cancel = { reason: error.message }
        this.#onCancel(error)
      }
    } catch (error) {
      this.#logger.warn('cannot look for a cancel; looking again at the next change', {
        error: messageOf(error),
      })
    }
  }
}
