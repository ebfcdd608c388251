import type { ProcessContext } from '../context.ts'

/** What all the models and tools of one context know of each other, for as long as the attempt lasts. */
export class AgentState {
  readonly #counts = new Map<string, number>()
  #fault: unknown

  /** How often this has been asked, this time included: the same call made twice is two calls. */
  count(subject: string): number {
    const count = (this.#counts.get(subject) ?? 0) + 1
    this.#counts.set(subject, count)
    return count
  }

  /**
   * The AI SDK takes whatever a tool throws for the tool's answer. What is no answer, but ends the process or the
   * attempt, is kept here for the next model call to throw.
   */
  fail(error: unknown): void {
    this.#fault ??= error
  }

  /** Throws what a tool had to keep back. */
  requireSound(): void {
    if (this.#fault !== undefined) throw this.#fault
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
