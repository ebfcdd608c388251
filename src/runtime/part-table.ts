/** What the host and its plugins give, each thing by its name; two of one name are refused. */
export class PartTable<Part> {
  readonly entries: Record<string, Part>
  readonly #kind: string
  readonly #givers = new Map<string, string>()

  constructor(kind: string, ofHost: Readonly<Record<string, Part>> = {}) {
    this.#kind = kind
    this.entries = {}
    this.add('the host module', ofHost)
  }

  add(giver: string, parts: Readonly<Record<string, Part>> = {}): void {
    for (const [name, part] of Object.entries(parts)) {
      const other = this.#givers.get(name)
      if (other !== undefined)
        throw new Error(`${giver} gives a ${this.#kind} "${name}", which ${other} gives already`)
      this.#givers.set(name, giver)
      this.entries[name] = part
    }
  }

  remove(names: readonly string[]): void {
    for (const name of names) {
      this.#givers.delete(name)
      delete this.entries[name]
    }
  }
}
