import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { inject, onTestFinished } from 'vitest'

const MAIN = fileURLToPath(new URL('../../examples/survey/main.ts', import.meta.url))

export interface SurveyEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningSurvey {
  readonly ended: Promise<SurveyEnd>
  /** Resolves when a line with this text has been written, or rejects when the program has ended without one. */
  line(text: string): Promise<string>
  /** As a terminal sends it: to the program and all that it has started in its group. */
  signalGroup(signal: NodeJS.Signals): void
}

/** `npm start` as a process of its own, on the server that all tests share, or on the one that `env` names. */
export function startSurvey(args: readonly string[], env: Record<string, string> = {}): RunningSurvey {
  const { PATH = '', HOME = '', XDG_CACHE_HOME } = process.env
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH,
      HOME,
      ...(XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME }),
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      ...env,
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const ended = Promise.all([exited, text(child.stdout), text(child.stderr)]).then(
    ([[code], stdout, stderr]): SurveyEnd => ({ code, stdout, stderr }),
  )
  const lines: string[] = []
  const reader = createInterface(child.stdout).on('line', line => lines.push(line))
  return {
    ended,
    signalGroup: signal => process.kill(-(child.pid ?? 0), signal),
    line: wanted =>
      new Promise((resolve, reject) => {
        const known = lines.find(line => line.includes(wanted))
        if (known !== undefined) return resolve(known)
        reader.on('line', line => {
          if (line.includes(wanted)) resolve(line)
        })
        reader.once('close', () => reject(new Error(`no line with "${wanted}" in:\n${lines.join('\n')}`)))
      }),
  }
}

export const runSurvey = (args: readonly string[], env?: Record<string, string>): Promise<SurveyEnd> =>
  startSurvey(args, env).ended
