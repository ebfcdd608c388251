/** So many times a query is waited for that found what it should not. */
const ASKED_AGAIN = 16

/** Which queries found what they seldom find: for a while nobody goes on without their answers. */
export class Doubts {
  readonly #left = new Map<string, number>()

  raise(name: string): void {
    this.#left.set(name, ASKED_AGAIN)
  }

  /** Counts the question. */
  isDoubtful(name: string): boolean {
    const left = this.#left.get(name)
    if (left === undefined) return false
    if (left > 1) this.#left.set(name, left - 1)
    else this.#left.delete(name)
    return true
  }
}
