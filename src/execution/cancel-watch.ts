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
  #onCancel: ((error: Error) => void) | undefined
  #unsubscribe: (() => void) | undefined
  #cancel: { readonly reason: string } | undefined
  #looking: Promise<void> | undefined
  #isTicked = false

  constructor(registry: WatchedRegistry, processId: string, logger: Logger) {
    this.#registry = registry
    this.#processId = processId
    this.#logger = logger
  }

  /** The cancel that was seen, if any. */
  get cancel(): { readonly reason: string } | undefined {
    return this.#cancel
  }

  /** Hears of every change from now on. May be called before the process is there. */
  listen(): void {
    this.#unsubscribe ??= this.#registry.hub.subscribe(this.#processId, change => {
      if (change === undefined || change.isCancelRequested) this.check()
    })
  }

  /** Calls back at the cancel, whenever it was recorded: it listens first and looks after. */
  async start(onCancel: (error: Error) => void): Promise<void> {
    this.#onCancel = onCancel
    this.listen()
    this.check()
    await this.#looking
  }

  /** The same for a process that was not there when this began to listen: what was recorded since, it has heard of. */
  startNew(onCancel: (error: Error) => void): void {
    this.#onCancel = onCancel
    if (this.#isTicked) this.#lookOnce()
  }

  check(): void {
    this.#isTicked = true
    if (this.#onCancel !== undefined) this.#lookOnce()
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
        this.#onCancel?.(error)
      }
    } catch (error) {
      this.#logger.warn('cannot look for a cancel; looking again at the next change', {
        error: messageOf(error),
      })
    }
  }
}
