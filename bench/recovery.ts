import { setTimeout as sleep } from 'node:timers/promises'
import { openBareSide } from './support/bare-side.ts'
import type { Bench, Surroundings } from './support/bench.ts'
import type { WorkerProcess } from './support/children.ts'
import { wallMs } from './support/clock.ts'
import { type LeaseholdSide, openLeaseholdSide } from './support/leasehold-side.ts'
import { BARE_HEARTBEAT_TIMEOUT_MS } from './support/settings.ts'
import { median, repeat, worst } from './support/statistics.ts'
import { seconds, times } from './support/table.ts'

const KILLS = 10
/** Kills come at any moment between two looks at the workers: spread over more than what lies between them. */
const SPREAD_MS = 500
const MOST_MEDIAN_MS = 600
const MOST_WORST_MS = 1_000
const MOST_OUTCOME_MS = 50
/** Taken on the same kind of machine; a rerun of it needs its server. */
const RESTATE = 'Restate: 0.65 s (quoted)'

interface Recovery {
  /** SIGKILL until the next attempt's code runs. */
  readonly runsAgainMs: number
  /** The terminal row, by its own time, until outcome() returns in this OS process. */
  readonly outcomeMs: number
}

/** A worker is killed while another one of the same host waits. */
export const recovery: Bench = async surroundings => {
  const bare = surroundings.withSlowReferences ? await recoverBare(surroundings) : undefined
  const recoveries = await recoverOurs(surroundings)
  const runsAgain = recoveries.map(({ runsAgainMs }) => runsAgainMs)
  const outcomes = recoveries.map(({ outcomeMs }) => outcomeMs)
  const [middle, last] = [median(runsAgain), worst(runsAgain)]
  return [
    {
      what: 'SIGKILL of the worker → next attempt runs on a waiting worker, p50 / worst of ten',
      ours: `${seconds(middle)} / ${seconds(last)}`,
      reference:
        bare === undefined
          ? `${RESTATE}; bare Temporal: with --references=all`
          : `bare, ${BARE_HEARTBEAT_TIMEOUT_MS / 1_000} s heartbeat time-out: ${seconds(bare)}; ${RESTATE}`,
      ...(bare === undefined ? {} : { ratio: times(middle / bare) }),
      bound: {
        text: `≤ ${seconds(MOST_MEDIAN_MS)} / ≤ ${seconds(MOST_WORST_MS)}`,
        isMet: middle <= MOST_MEDIAN_MS && last <= MOST_WORST_MS,
      },
    },
    {
      what: 'terminal row → outcome() returns, worst of ten',
      ours: seconds(worst(outcomes)),
      reference: 'none: bare Temporal has no row',
      bound: { text: `≤ ${seconds(MOST_OUTCOME_MS)}`, isMet: worst(outcomes) <= MOST_OUTCOME_MS },
    },
  ]
}

async function recoverOurs(surroundings: Surroundings): Promise<Recovery[]> {
  await using side = await openLeaseholdSide(surroundings)
  const recoveries: Recovery[] = []
  let waiting = await side.startWorker()
  await repeat(KILLS, async () => {
    // The process starts while one worker is alone, so that it is known which one runs it.
    const running = waiting
    const started = await side.processes.start({ kind: 'crash', input: 1 })
    await running.next('running', started.id)
    waiting = await side.startWorker()
    await sleep(Math.random() * SPREAD_MS)
    recoveries.push(await killAndWait(side, started.id, running, waiting))
  })
  return recoveries
}

async function killAndWait(
  { processes }: LeaseholdSide,
  id: string,
  running: WorkerProcess,
  waiting: WorkerProcess,
): Promise<Recovery> {
  const handle = processes.handle(id)
  const ended = handle.outcome().then(wallMs)
  const killedAt = wallMs()
  const killed = running.kill()
  const { atMs } = await waiting.next('running', id)
  await killed
  const endedAt = await ended
  const { updatedAtMs } = await handle.describe()
  return { runsAgainMs: atMs - killedAt, outcomeMs: endedAt - updatedAtMs }
}

/** Once, for it takes seconds by its settings. */
async function recoverBare(surroundings: Surroundings): Promise<number> {
  await using side = await openBareSide(surroundings)
  const running = await side.startWorker()
  const started = await side.start('crash')
  await running.next('running', started.workflowId)
  const waiting = await side.startWorker()
  const killedAt = wallMs()
  const killed = running.kill()
  const { atMs } = await waiting.next('running', started.workflowId)
  await killed
  await started.result()
  return atMs - killedAt
}
