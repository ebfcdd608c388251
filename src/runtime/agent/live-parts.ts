import type { ModelPart } from './model-types.ts'

/**
 * Hands a model's parts on as they come. They are read where the caller is, not where they are written: code that hears
 * of one may make steps of its own, which it could not from within the step that gives it.
 */
export class LiveParts implements AsyncIterable<ModelPart> {
  readonly #parts: ModelPart[] = []
  readonly #begun = Promise.withResolvers<void>()
  #news = Promise.withResolvers<void>()
  #isOver = false

  /** Resolves with the first part; never, where none comes. */
  get begun(): Promise<void> {
    return this.#begun.promise
  }

  push(part: ModelPart): void {
    this.#parts.push(part)
    this.#begun.resolve()
    this.#tell()
  }

  end(): void {
    this.#isOver = true
    this.#tell()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<ModelPart> {
    for (;;) {
      const news = this.#news.promise
      yield* this.#parts.splice(0)
      if (this.#isOver && this.#parts.length === 0) return
      if (this.#parts.length === 0) await news
    }
  }

  #tell(): void {
    const told = this.#news
    this.#news = Promise.withResolvers<void>()
    told.resolve()
  }
}
