import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { WorkerOptions } from './worker.ts'

/** What the first of them compiled, the others read. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url))

/** Workers in OS processes of their own: as often as one dies, another begins in its place. */
export class Workers implements AsyncDisposable {
  readonly #options: WorkerOptions
  readonly #ready = new Set<ChildProcess>()
  readonly #lives: Promise<void>[]
  #isOver = false
  #deaths = 0
  #news = Promise.withResolvers<void>()

  constructor(options: WorkerOptions, count: number) {
    this.#options = options
    this.#lives = Array.from({ length: count }, () => this.#keepAlive())
  }

  get deaths(): number {
    return this.#deaths
  }

  /** SIGKILL to one that takes work; which, the number says. Resolves when it is dead. */
  async killOne(choice: number): Promise<void> {
    while (this.#ready.size === 0) await this.#news.promise
    const ready = [...this.#ready]
    const victim = ready[choice % ready.length]
    if (victim === undefined) return
    this.#ready.delete(victim)
    const dead = once(victim, 'exit')
    victim.kill('SIGKILL')
    await dead
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(this.#lives)
  }

  readonly #children = new Set<ChildProcess>()

  async #keepAlive(): Promise<void> {
    const script = fileURLToPath(new URL('worker.ts', import.meta.url))
    while (!this.#isOver) {
      const child = spawn(process.execPath, [script, JSON.stringify(this.#options)], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? COMPILED },
      })
      this.#children.add(child)
      child.stdout?.once('data', () => {
        this.#ready.add(child)
        this.#news.resolve()
        this.#news = Promise.withResolvers<void>()
      })
      const [code, signal]: (number | string | null)[] = await once(child, 'exit')
      this.#children.delete(child)
      this.#ready.delete(child)
      if (this.#isOver) return
      if (signal !== 'SIGKILL') throw new Error(`a worker ended by itself, with ${code ?? signal}`)
      this.#deaths++
    }
  }
}
