import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createProcessClient } from '../../src/index.ts'
import type { Row } from '../support/bench.ts'
import { startWorker } from '../support/children.ts'
import { wallMs } from '../support/clock.ts'
import { createBenchHost } from '../support/leasehold-host.ts'
import { median, repeat, worst } from '../support/statistics.ts'
import { seconds } from '../support/table.ts'

const KILLS = 10
/** Kills come at any moment between two looks at the workers: spread over more than what lies between them. */
const SPREAD_MS = 500
const MOST_MS = 500

/** An inline worker is killed while another one of the same host waits. */
export async function inlineRecovery(folder: string): Promise<Row[]> {
  const registryPath = join(folder, 'recovery.db')
  const spawn = () => startWorker('inline-worker.ts', [registryPath])
  await using processes = createProcessClient({ host: createBenchHost(registryPath) })
  const found: number[] = []
  let waiting = await spawn()
  await repeat(KILLS, async () => {
    // The process starts while one worker is alone, so that it is known which one runs it.
    const running = waiting
    const { id, outcome } = await processes.start({ kind: 'crash', input: 1 })
    await running.next('running', id)
    waiting = await spawn()
    await sleep(Math.random() * SPREAD_MS)
    const killedAt = wallMs()
    const killed = running.kill()
    found.push((await waiting.next('running', id)).atMs - killedAt)
    await killed
    await outcome()
  })
  await waiting[Symbol.asyncDispose]()
  return [
    {
      what: 'inline, SIGKILL → next attempt runs on a waiting worker, p50 / worst of ten',
      ours: `${seconds(median(found))} / ${seconds(worst(found))}`,
      reference: 'DBOS: no other worker takes over; a new process 0.2 to 0.9 s (quoted)',
      bound: { text: `≤ ${seconds(MOST_MS)}`, isMet: median(found) <= MOST_MS },
    },
  ]
}
