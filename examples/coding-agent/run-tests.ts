import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export interface TestRun {
  readonly passed: boolean
  readonly output: string
}

/** The folder's own tests, by Node's test runner. The signal ends them. */
export async function runTests(dir: string, signal?: AbortSignal): Promise<TestRun> {
  const child = spawn(process.execPath, ['--test'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(signal === undefined ? {} : { signal }),
  })
  const [[code], output] = await Promise.all([once(child, 'exit'), text(child.stdout)])
  return { passed: code === 0, output }
}
