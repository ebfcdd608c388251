import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { WorkerOptions } from './worker.ts'

/** What the first of them compiled, the others read. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url))

/** Workers in OS processes of their own: as often as one dies, another begins in its place. */
export class Workers implements AsyncDisposable {
  readonly #options: WorkerOptions
  /** How many attempts each has under way, of those that have any. */
  readonly #atWork = new Map<ChildProcess, number>()
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

  /**
   * SIGKILL to one that is at work; which, and how many milliseconds after that was seen, the arguments say. Resolves
   * when it is dead. One that has only begun would die without anybody missing it.
   */
  async killOne(choice: number, afterMs: number): Promise<void> {
    while (this.#atWork.size === 0) await this.#news.promise
    const atWork = [...this.#atWork.keys()]
    const victim = atWork[choice % atWork.length]
    if (victim === undefined) return
    await pause(afterMs)
    // It may have died at the place of a process of its own meanwhile.
    if (!this.#children.has(victim)) return
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

  #count(child: ChildProcess, change: number): void {
    if (!this.#children.has(child)) return
    const attempts = (this.#atWork.get(child) ?? 0) + change
    if (attempts > 0) this.#atWork.set(child, attempts)
    else this.#atWork.delete(child)
    this.#news.resolve()
    this.#news = Promise.withResolvers<void>()
  }

  async #keepAlive(): Promise<void> {
    const script = fileURLToPath(new URL('worker.ts', import.meta.url))
    while (!this.#isOver) {
      const child = spawn(process.execPath, [script, JSON.stringify(this.#options)], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? COMPILED },
      })
      this.#children.add(child)
      createInterface(child.stdout).on('line', line => this.#count(child, line === 'began' ? 1 : -1))
      const [code, signal]: (number | string | null)[] = await once(child, 'exit')
      this.#children.delete(child)
      this.#atWork.delete(child)
      if (this.#isOver) return
      if (signal !== 'SIGKILL') throw new Error(`a worker ended by itself, with ${code ?? signal}`)
      this.#deaths++
    }
  }
}
