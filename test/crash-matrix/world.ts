import { appendFileSync, closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The world outside: files that Leasehold knows nothing of. Each line is there before the next thing happens. */
export class OutsideWorld {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** `what` happened for this process. */
  note(what: Noted['what'], id: string, detail: string): void {
    appendFileSync(join(this.folder, 'world'), `${JSON.stringify({ what, id, detail })}\n`)
  }

  notes(): readonly Noted[] {
    return this.#linesOf('world').map((line): Noted => JSON.parse(line))
  }

  /** A call was left pending under this key: whoever answers calls looks here, again and again. */
  open(key: string): void {
    appendFileSync(join(this.folder, 'opened'), `${key}\n`)
  }

  opened(): readonly string[] {
    return this.#linesOf('opened')
  }

  #linesOf(name: string): readonly string[] {
    const path = join(this.folder, name)
    if (!existsSync(path)) return []
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(line => line !== '')
  }

  /** True for the first who asks, whichever OS process that is. */
  isFirst(name: string): boolean {
    try {
      closeSync(openSync(join(this.folder, `once-${name}`), 'wx'))
      return true
    } catch {
      return false
    }
  }
}

export interface Noted {
  /** A model was asked; its answer was journaled; a tool took effect; a worker died at its place. */
  readonly what: 'asked' | 'journaled' | 'effect' | 'died'
  readonly id: string
  readonly detail: string
}
