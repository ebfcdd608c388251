import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { scanOutput } from '../support/scan/output.ts'

export interface Child {
  readonly pid: number
  /** The next line it says; throws when it ends without one. */
  nextLine(): Promise<string>
  tellToGoOn(): void
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill(): Promise<void>
}

/** Another OS process in one of the roles of `child.ts`. Killed at the end of the test at the latest. */
export const spawnChild = (role: string, path: string): Child => spawnRole('child.ts', role, [path])

/** Another OS process in one of the roles of `postgres-child.ts`. */
export const spawnPostgresChild = (role: string, connectionString: string, schema = 'leasehold'): Child =>
  spawnRole('postgres-child.ts', role, [connectionString, schema])

/** Another OS process of `history/actor.ts`, which see for its arguments. */
export const spawnActor = (store: 'sqlite' | 'postgres', ...args: readonly string[]): Child =>
  spawnRole('history/actor.ts', store, args)

function spawnRole(file: string, role: string, args: readonly string[]): Child {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [script, role, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw new Error('pipes were asked for')
  scanOutput(child, { isPassedOn: true })
  const lines = createInterface(stdout)[Symbol.asyncIterator]()
  const exited = once(child, 'exit')
  async function kill(): Promise<void> {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  return {
    pid: child.pid ?? 0,
    async nextLine() {
      const { done, value } = await lines.next()
      if (done) throw new Error(`The child "${role}" ended without another line.`)
      return value
    },
    tellToGoOn: () => stdin.end('\n'),
    kill,
  }
}
