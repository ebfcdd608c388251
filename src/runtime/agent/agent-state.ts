import type { ProcessContext } from '../context.ts'

/** What all the models and tools of one context know of each other, for as long as the attempt lasts. */
export class AgentState {
  readonly #counts = new Map<string, number>()
  readonly #ended = Promise.withResolvers<never>()
  #fault: { readonly error: unknown } | undefined
  #isTold = false
  #underWay = 0

  constructor() {
    // Whoever makes calls hears of it; there may be nobody.
    this.#ended.promise.catch(() => {})
  }

  /** How often this has been asked, this time included: the same call made twice is two calls. */
  count(subject: string): number {
    const count = (this.#counts.get(subject) ?? 0) + 1
    this.#counts.set(subject, count)
    return count
  }

  /** Counts what has an effect as under way until it has ended and is journaled. None begins once there is a fault. */
  async during<T>(effect: () => Promise<T>): Promise<T> {
    if (this.#fault !== undefined) throw this.#fault.error
    this.#underWay++
    try {
      return await effect()
    } finally {
      this.#underWay--
      this.#endWhenIdle()
    }
  }

  /**
   * Keeps an error that is no answer to a call, but ends the process or the attempt: the AI SDK takes whatever a tool
   * throws for the tool's answer. The next model call throws it, or whoever runs the code, when that has returned.
   */
  fail(error: unknown): void {
    this.#fault ??= { error }
    this.#endWhenIdle()
  }

  /** Rejects with what was kept, once nothing is under way any more: what other calls did is recorded before all ends. */
  get ended(): Promise<never> {
    return this.#ended.promise
  }

  /** Throws what had to be kept back. */
  requireSound(): void {
    if (this.#fault === undefined) return
    this.#isTold = true
    throw this.#fault.error
  }

  /** The same for code that has returned, and may have been told by a model call already. */
  requireTold(): void {
    if (!this.#isTold) this.requireSound()
  }

  #endWhenIdle(): void {
    if (this.#fault !== undefined && this.#underWay === 0) this.#ended.reject(this.#fault.error)
  }
}

const STATES = new WeakMap<ProcessContext, AgentState>()

export function agentStateOf(ctx: ProcessContext): AgentState {
  const known = STATES.get(ctx)
  if (known !== undefined) return known
  const state = new AgentState()
  STATES.set(ctx, state)
  return state
}
