import { LeaseholdError } from '../model/errors.ts'

/**
 * At most so many processes of one worker work at a time. One that only waits rests: it gives its slot up and takes one
 * again before its code goes on, so that a parent never keeps out the child that it waits for, with one slot as well.
 *
 *   take ──▶ working ── rest ──▶ resting
 *               ▲  └── end        │  └── end
 *               └──── resume ─────┘
 */
export class WorkingSlots {
  readonly limit: number
  readonly #queue: (() => void)[] = []
  readonly #listeners = new Set<() => void>()
  #working = 0
  #resting = 0

  constructor(limit: number) {
    this.limit = requireConcurrency(limit)
  }

  /** Processes whose code runs now. */
  get working(): number {
    return this.#working
  }

  /** Processes that have been begun and only wait now. */
  get resting(): number {
    return this.#resting
  }

  /** Slots that nobody has or wants: whoever fetches work may fetch so much. */
  get free(): number {
    return Math.max(0, this.limit - this.#working - this.#queue.length)
  }

  /** Resolves with a slot when it is this caller's turn; rejects with the signal's reason if that fires first. */
  async take(signal?: AbortSignal): Promise<WorkingSlot> {
    await this.#enter(signal)
    return new WorkingSlot({
      rest: () => {
        this.#resting++
        this.#leave()
      },
      resume: async () => {
        this.#resting--
        await this.#enter()
      },
      end: wasResting => {
        if (!wasResting) return this.#leave()
        this.#resting--
        this.#tell()
      },
    })
  }

  /** Calls the listener whenever somebody rests or ends. Returns how to stop. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #enter(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#working < this.limit && this.#queue.length === 0) {
      this.#working++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        this.#queue.splice(this.#queue.indexOf(enter), 1)
        this.#tell()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(enter)
    })
  }

  /** The slot goes to the next in the queue, who counts as working from now on. */
  #leave(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#working--
    else next()
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

export function requireConcurrency(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1) return limit
  throw new LeaseholdError('host_invalid', `A worker's concurrency is a whole number from 1; found ${limit}.`)
}

interface SlotMoves {
  rest(): void
  resume(): Promise<void>
  end(wasResting: boolean): void
}

/** One attempt's place among the working. */
export class WorkingSlot {
  readonly #moves: SlotMoves
  #state: 'working' | 'resting' | 'ended' = 'working'
  #resuming: Promise<void> | undefined

  constructor(moves: SlotMoves) {
    this.#moves = moves
  }

  /** The code only waits. */
  rest(): void {
    if (this.#state !== 'working') return
    this.#state = 'resting'
    this.#moves.rest()
  }

  /** Resolves when the code may go on. Calls that come meanwhile share the turn. */
  resume(): Promise<void> {
    if (this.#state !== 'resting' && this.#resuming === undefined) return Promise.resolve()
    this.#resuming ??= this.#resume()
    return this.#resuming
  }

  /** Gives it up for good. May be called twice. */
  end(): void {
    if (this.#state === 'ended') return
    // One that is still in the queue gives its turn on when it comes.
    const isQueued = this.#resuming !== undefined
    const wasResting = this.#state === 'resting'
    this.#state = 'ended'
    if (!isQueued) this.#moves.end(wasResting)
  }

  async #resume(): Promise<void> {
    await this.#moves.resume()
    this.#resuming = undefined
    if (this.#state === 'ended') this.#moves.end(false)
    else this.#state = 'working'
  }
}
