import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { openStage } from '../execution/stage.ts'

const PARKS = 1_000

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A tool server over standard input and output, as an engine keeps one open. */
function openServer(pids: number[]) {
  const child = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  pids.push(child.pid ?? Number.NaN)
  return {
    ask: async (line: string) => {
      const answered = once(child.stdout, 'data')
      child.stdin.write(line)
      return String(await answered)
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await exited
    },
  }
}

test('a thousand parks of a process that holds a child process open leave none over', {
  timeout: 600_000,
}, async () => {
  const pids: number[] = []
  onTestFinished(() => {
    for (const pid of pids.filter(isAlive)) process.kill(pid)
  })
  const stage = openStage({
    parkGraceMs: 1,
    engines: {
      work: {
        disposition: 'rerunnable',
        events: { 'signal.go': true },
        run: async ctx => {
          const server = ctx.use(openServer(pids))
          let parks = typeof ctx.state === 'number' ? ctx.state : 0
          // A short journal, so that the attempts do not spend their time on what they have done.
          for (const end = parks + 100; parks < end; parks++) {
            if ((await server.ask(`park ${parks}`)) !== `park ${parks}`) throw new Error('another answer')
            await ctx.waitForSignal('go')
          }
          return parks < PARKS ? ctx.rollover(parks) : parks
        },
      },
    },
  })
  const id = await stage.start()
  for (let park = 0; park < PARKS; park++) {
    expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
    // Each ends with its attempt, not some time later.
    expect(pids.filter(isAlive)).toEqual([])
    await stage.registry.signal(id, 'go', park)
  }
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: PARKS })
  expect(pids.filter(isAlive)).toEqual([])
  // Every attempt has opened its own, and so has every epoch.
  expect(new Set(pids).size).toBeGreaterThan(PARKS)
})
