import { join } from 'node:path'
import {
  createInlineWorker,
  createProcessClient,
  defineEngine,
  defineHost,
  sqliteRegistry,
} from '../../src/index.ts'
import type { Row } from '../support/bench.ts'
import { commitCost } from '../support/commit-cost.ts'
import { PARK_GRACE_MS } from '../support/settings.ts'
import { median, percentile, repeat } from '../support/statistics.ts'
import { ms } from '../support/table.ts'
import { untilParked } from '../support/until-parked.ts'

const WARM_UPS = 10
const RUNS = 60
const COMMITS = 300
const MOST_MS = 5

/** What a parked process waits for until its code goes on; client and worker in one OS process. */
export async function inlineWakes(folder: string): Promise<Row[]> {
  const marks = new Marks()
  /** Ends when it is told to, and notes when that is. */
  const listener = defineEngine({
    disposition: 'rerunnable',
    events: { 'signal.go': true },
    async run(ctx) {
      await ctx.waitForSignal('go')
      marks.set(ctx.id)
    },
  })
  const host = defineHost({
    registry: sqliteRegistry({ path: join(folder, 'wakes.db') }),
    engines: {
      listener,
      parent: defineEngine({
        disposition: 'rerunnable',
        async run(ctx) {
          const child = await ctx.start({ kind: 'listener', id: `${ctx.id}.child` })
          await child.outcome()
          marks.set(ctx.id)
        },
      }),
    },
  })
  await using worker = createInlineWorker(host, { parkGraceMs: PARK_GRACE_MS })
  await using processes = createProcessClient({ host })
  await worker.ready

  const signalled = async () => {
    const listener = await processes.start({ kind: 'listener' })
    await untilParked(listener)
    const sentAt = performance.now()
    await listener.signal('go')
    await listener.outcome()
    return marks.of(listener.id) - sentAt
  }
  const childEnded = async () => {
    const parent = await processes.start({ kind: 'parent' })
    const child = processes.handle(`${parent.id}.child`)
    await untilParked(parent)
    await untilParked(child)
    await child.signal('go')
    await parent.outcome()
    return marks.of(parent.id) - marks.of(child.id)
  }

  const signals = await figuresOf(signalled)
  const children = await figuresOf(childEnded)
  const reference = `node:sqlite alone, one row and commit: ${ms(commitCost(join(folder, 'commit.db'), COMMITS))}`
  return [
    row('inline, child ends → its parked parent runs, p50 (p95)', children, reference),
    row('inline, signal sent → the parked process runs, p50 (p95)', signals, reference),
  ]
}

/** When the code of each process came to where it notes it. */
class Marks {
  readonly #at = new Map<string, number>()

  set(id: string): void {
    this.#at.set(id, performance.now())
  }

  of(id: string): number {
    const at = this.#at.get(id)
    if (at === undefined) throw new Error(`Process ${id} never came to its mark.`)
    return at
  }
}

async function figuresOf(measure: () => Promise<number>): Promise<number[]> {
  const figures: number[] = []
  await repeat(WARM_UPS, async () => void (await measure()))
  await repeat(RUNS, async () => void figures.push(await measure()))
  return figures
}

function row(what: string, figures: readonly number[], reference: string): Row {
  const p50 = median(figures)
  return {
    what,
    ours: `${ms(p50)} (${ms(percentile(figures, 0.95))})`,
    reference,
    bound: { text: `≤ ${ms(MOST_MS)}`, isMet: p50 <= MOST_MS },
  }
}
