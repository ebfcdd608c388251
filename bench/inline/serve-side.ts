import { ratePerSecond } from '../support/callers.ts'
import { median, repeat, timed } from '../support/statistics.ts'
import type { Body, Measure, SideMessage } from './side.ts'

/** One of the compared systems, ready to run. */
export interface SystemUnderTest extends AsyncDisposable {
  /** One process with one step that does nothing, from its start to its outcome. */
  runOne(): Promise<unknown>
  /** One process with so many steps; resolves with the milliseconds of one. */
  runSteps(steps: number): Promise<number>
  /** One process that is an agent's turn; resolves with what its model said last. */
  runTurn(): Promise<string>
}

const WARM_UPS = 50
const STEP_ROUNDS = 5

/** Answers the bench until it goes. */
export async function serveSide(open: () => Promise<SystemUnderTest>): Promise<void> {
  const tell = (message: SideMessage) => process.connected && process.send?.(message)
  try {
    const system = await open()
    await repeat(WARM_UPS, async () => {
      for (const run of Object.values(runsOf(system))) await run()
    })
    process.on('message', (measure: Measure) => {
      take(system, measure).then(
        value => tell({ type: 'measured', value }),
        error => tell({ type: 'failed', error: String(error) }),
      )
    })
    process.once('disconnect', async () => {
      await system[Symbol.asyncDispose]()
      process.exit(0)
    })
    tell({ type: 'ready' })
  } catch (error) {
    tell({ type: 'failed', error: String(error) })
    process.exit(1)
  }
}

const runsOf = (system: SystemUnderTest): Readonly<Record<Body, () => Promise<unknown>>> => ({
  one: () => system.runOne(),
  three: () => system.runSteps(3),
  turn: async () => {
    const said = await system.runTurn()
    if (said !== 'seen') throw new Error(`A turn said ${said}.`)
  },
})

async function take(system: SystemUnderTest, measure: Measure): Promise<number> {
  switch (measure.type) {
    case 'latency': {
      const values: number[] = []
      const run = runsOf(system)[measure.of]
      await repeat(measure.runs, async () => void values.push(await timed(run)))
      return median(values)
    }
    case 'rate':
      return ratePerSecond(measure.forMs, measure.inFlight, () => system.runOne())
    case 'step': {
      const values: number[] = []
      await repeat(STEP_ROUNDS, async () => void values.push(await system.runSteps(measure.steps)))
      return median(values)
    }
  }
}
