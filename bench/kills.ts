import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, Surroundings } from './support/bench.ts'
import { type LeaseholdSide, openLeaseholdSide } from './support/leasehold-side.ts'
import { timed } from './support/statistics.ts'
import { seconds, times } from './support/table.ts'

const PROCESSES = 2_000
const IN_FLIGHT = 100
const STEPS = 10
const KILL_EVERY_MS = 5_000
const MOST = 1.5

/** All of so many processes, through two workers: left alone, and with one of them killed and replaced every five seconds. */
export const kills: Bench = async surroundings => {
  const { size = PROCESSES } = surroundings
  const quiet = await runAll('quiet', { ...surroundings, size }, false)
  const killed = await runAll('killed', { ...surroundings, size }, true)
  const ratio = killed.tookMs / quiet.tookMs
  return [
    {
      what: `${size} processes of ${STEPS} steps through 2 workers, one killed every ${KILL_EVERY_MS / 1_000} s (${killed.kills} kills)`,
      ours: `${killed.completed} completed in ${seconds(killed.tookMs)}`,
      reference: `no kills: ${quiet.completed} in ${seconds(quiet.tookMs)}`,
      ratio: times(ratio),
      bound: { text: `all, ≤ ${times(MOST)}`, isMet: killed.completed === size && ratio <= MOST },
    },
  ]
}

interface Run {
  readonly completed: number
  readonly kills: number
  readonly tookMs: number
}

async function runAll(name: string, surroundings: Surroundings, withKills: boolean): Promise<Run> {
  // A registry of its own for each: the one run's rows are no burden to the other.
  const folder = join(surroundings.folder, name)
  await mkdir(folder)
  await using side = await openLeaseholdSide({ ...surroundings, folder })
  const workers = [await side.startWorker(), await side.startWorker()]
  const done = new AbortController()
  const killing = withKills ? killInTurn(side, workers, done.signal) : Promise.resolve(0)
  let [started, completed] = [0, 0]
  const caller = async () => {
    while (started++ < (surroundings.size ?? 0)) {
      const handle = await side.processes.start({ kind: 'steps', input: STEPS })
      if ((await handle.outcome()).status === 'completed') completed++
    }
  }
  const tookMs = await timed(() => Promise.all(Array.from({ length: IN_FLIGHT }, caller)))
  done.abort()
  return { completed, kills: await killing, tookMs }
}

/** The older of the two each time, so that the one that takes over is killed in its turn. */
async function killInTurn(
  side: LeaseholdSide,
  workers: Awaited<ReturnType<LeaseholdSide['startWorker']>>[],
  signal: AbortSignal,
): Promise<number> {
  for (let count = 0; ; count++) {
    await sleep(KILL_EVERY_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return count
    await workers.shift()?.kill()
    workers.push(await side.startWorker())
  }
}
