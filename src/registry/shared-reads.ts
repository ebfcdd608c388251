/**
 * One read for all who want the same at the same moment. It begins after the last of them has asked, so that nobody gets
 * an answer that is older than the change that made him ask.
 */
export class SharedReads<T> {
  readonly #gathering = new Map<string, Promise<T>>()

  read(key: string, read: () => Promise<T>): Promise<T> {
    const gathering = this.#gathering.get(key)
    if (gathering !== undefined) return gathering
    const begun = new Promise<void>(resolve => setImmediate(resolve)).then(() => {
      this.#gathering.delete(key)
      return read()
    })
    this.#gathering.set(key, begun)
    return begun
  }
}
