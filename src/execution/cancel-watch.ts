import { messageOf } from '../model/errors.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import type { Logger } from '../runtime/logger.ts'
import { cancelledError } from './outcome-of.ts'

/** Each is called once. */
export interface CancelListeners {
  readonly onCancel: (error: Error) => void
  /** The cancel is, or has become, a forced one. */
  readonly onForce: () => void
}

/**
 * Fires when a cancel of the process is recorded, from the moment that it listens. A failing look is a warning: the attempt goes on,
 * and the next change is another chance.
 */
export class CancelWatch {
  readonly #registry: WatchedRegistry
  readonly #processId: string
  readonly #logger: Logger
  #listeners: CancelListeners | undefined
  #unsubscribe: (() => void) | undefined
  #cancel: { readonly reason: string } | undefined
  #isForced = false
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

  /** Hears of every change from now on. Before the attempt is begun, which it is not where a cancel is recorded already. */
  listen(): void {
    this.#unsubscribe ??= this.#registry.hub.subscribe(this.#processId, change => {
      if (change === undefined || change.isCancelRequested) this.check()
    })
  }

  /** Calls back at the cancel, also if it was recorded since it began to listen. */
  start(listeners: CancelListeners): void {
    this.#listeners = listeners
    if (this.#isTicked) this.#lookOnce()
  }

  check(): void {
    this.#isTicked = true
    if (this.#listeners !== undefined) this.#lookOnce()
  }

  #lookOnce(): void {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      // A tick may have come after the last look and before this.
      if (this.#isTicked && !this.#isForced) this.#lookOnce()
    })
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  #tell(error: Error): void {
    this.#cancel = { reason: error.message }
    this.#listeners?.onCancel(error)
  }

  async #look(): Promise<void> {
    try {
      while (this.#isTicked && !this.#isForced) {
        this.#isTicked = false
        const request = (await this.#registry.get(this.#processId))?.cancelRequest
        if (request === undefined) continue
        if (this.#cancel === undefined) this.#tell(cancelledError(request.reason))
        if (request.forcedAtMs === undefined) continue
        this.#isForced = true
        this.#listeners?.onForce()
      }
    } catch (error) {
      this.#logger.warn('cannot look for a cancel; looking again at the next change', {
        error: messageOf(error),
      })
    }
  }
}
