import { LeaseholdError } from '../model/errors.ts'
import type { ProcessEvent } from '../model/event.ts'

/**
 * Hears of the events that are appended through this OS process's registry, once each is committed: for freshness, and
 * for nothing else. What other OS processes append, what ends a process and what a crash cut off is never told. Whoever
 * needs all reads the log (`eventsAfter`).
 */
export interface ProcessEventSink {
  /**
   * Called after the commit, in the order of a process's events, one at a time for each process. The writer does not
   * wait for it. An error, or no answer within the limit, is logged and that event is not told again.
   */
  emit(event: ProcessEvent): void | Promise<void>
}

export interface SinkFeedOptions {
  /** How long one event may take before the next one is told. Default 10,000 ms. */
  readonly limitMs?: number
  /** Events that may wait, of all processes together; what comes beyond is not told. Default 10,000. */
  readonly capacity?: number
  readonly onProblem: (error: unknown, event: ProcessEvent) => void
}

/** The way of events to one sink. Each process has a line of its own, so that one event that takes long holds up its own. */
export class SinkFeed {
  readonly #sink: ProcessEventSink
  readonly #options: Required<SinkFeedOptions>
  readonly #lines = new Map<string, ProcessEvent[]>()
  readonly #telling = new Set<Promise<void>>()
  #waiting = 0

  constructor(sink: ProcessEventSink, { limitMs = 10_000, capacity = 10_000, onProblem }: SinkFeedOptions) {
    this.#sink = sink
    this.#options = { limitMs, capacity, onProblem }
  }

  push(event: ProcessEvent): void {
    if (this.#waiting >= this.#options.capacity) {
      const problem = `The event sink is ${this.#waiting} events behind; this one is not told. Read it from the log.`
      this.#options.onProblem(new LeaseholdError('event_sink_failed', problem), event)
      return
    }
    this.#waiting++
    const line = this.#lines.get(event.processId)
    if (line === undefined) {
      this.#lines.set(event.processId, [event])
      const telling = this.#tellLine(event.processId).finally(() => this.#telling.delete(telling))
      this.#telling.add(telling)
      return
    }
    // Answers of commits that came close together may be heard in another order than they were made in.
    const place = line.findLastIndex(({ sequence }) => sequence < event.sequence) + 1
    line.splice(place, 0, event)
  }

  /** Resolves when all that waits has been told, or after the time given. */
  async settle(withinMs: number): Promise<void> {
    await within(withinMs, () => Promise.all(this.#telling)).catch(() => {})
  }

  async #tellLine(processId: string): Promise<void> {
    // After the answers that are heard in the same turn: see above.
    await new Promise(setImmediate)
    const line = this.#lines.get(processId) ?? []
    for (let event = line.shift(); event !== undefined; event = line.shift()) {
      this.#waiting--
      await this.#tell(event)
    }
    this.#lines.delete(processId)
  }

  async #tell(event: ProcessEvent): Promise<void> {
    try {
      await within(this.#options.limitMs, async () => this.#sink.emit(event))
    } catch (error) {
      this.#options.onProblem(error, event)
    }
  }
}

/** What the work comes to, or an error when the time is up; the work itself cannot be stopped. */
async function within(ms: number, work: () => Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const error = new LeaseholdError('event_sink_failed', `The event sink did not answer within ${ms} ms.`)
  const timer = setTimeout(() => late.reject(error), ms)
  try {
    await Promise.race([work(), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
