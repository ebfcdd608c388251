/** How to take back what the running transaction has written, newest first. */
export class UndoLog {
  #undo: (() => void)[] = []

  add(undo: () => void): void {
    this.#undo.push(undo)
  }

  /** Forgets what was recorded: it is committed. Says whether there was anything. */
  commit(): boolean {
    const wrote = this.#undo.length > 0
    this.#undo = []
    return wrote
  }

  rollBack(): void {
    for (const undo of this.#undo.reverse()) undo()
    this.#undo = []
  }
}

/** A map whose writes are recorded, so that a throwing transaction leaves no trace. */
export class TransactionalMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #undo: UndoLog

  constructor(undo: UndoLog) {
    this.#undo = undo
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key)
  }

  values(): Value[] {
    return [...this.#entries.values()]
  }

  entries(): [Key, Value][] {
    return [...this.#entries]
  }

  set(key: Key, value: Value): void {
    this.#recordOld(key)
    this.#entries.set(key, value)
  }

  delete(key: Key): void {
    this.#recordOld(key)
    this.#entries.delete(key)
  }

  #recordOld(key: Key): void {
    const old = this.#entries.get(key)
    this.#undo.add(old === undefined ? () => this.#entries.delete(key) : () => this.#entries.set(key, old))
  }
}
