import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createProcessClient } from '../src/index.ts'
import type { Bench, Row } from './support/bench.ts'
import { startWorker } from './support/children.ts'
import { createBenchHost } from './support/leasehold-host.ts'
import { median, percentile, worst } from './support/statistics.ts'
import { ms } from './support/table.ts'

const PER_SECOND = 50
const MOST_P50_MS = 15
const MOST_P99_MS = 60
const MOST_OF_MANY_MS = 250
/** Readers as they are with users: several in each of some OS processes. */
const MANY = { processes: 4, readersEach: 50 }

/** A process says something fifty times a second; readers in other OS processes say how late each delta reached them. */
export const streams: Bench = async ({ folder }) => {
  const registryPath = join(folder, 'streams.db')
  await using worker = await startWorker('inline-worker.ts', [registryPath])
  const one = await measure(registryPath, { processes: 1, readersEach: 1 }, 500)
  const many = await measure(registryPath, MANY, 250)
  await worker[Symbol.asyncDispose]()
  return [rowOfOne(one), rowOfMany(many)]
}

interface Measured {
  /** By reader, how late each delta came. */
  readonly late: readonly (readonly number[])[]
  /** The worker's own, of one core. */
  readonly cpuPercent: number
}

async function measure(
  registryPath: string,
  readers: { readonly processes: number; readonly readersEach: number },
  deltas: number,
): Promise<Measured> {
  await using processes = createProcessClient({ host: createBenchHost(registryPath) })
  const handle = await processes.start({ kind: 'tell', input: { deltas, perSecond: PER_SECOND } })
  const children = Array.from({ length: readers.processes }, () =>
    startReader([registryPath, handle.id, String(readers.readersEach)], readers.readersEach),
  )
  // Everybody reads before what is measured begins.
  await Promise.all(children.map(child => child.reading))
  await handle.signal('go')
  const outcome = await handle.outcome()
  if (outcome.status !== 'completed') throw new Error(`The process ended as ${outcome.status}.`)
  const late = (await Promise.all(children.map(child => child.late))).flat()
  if (late.some(each => each.length !== deltas)) throw new Error('A reader has missed deltas.')
  return { late, cpuPercent: Number(outcome.value) }
}

type Message = { readonly type: 'reading' } | { readonly type: 'read'; readonly late: number[][] }

function startReader(args: readonly string[], readers: number) {
  const child = fork(fileURLToPath(new URL('support/stream-reader.ts', import.meta.url)), args)
  const reading = Promise.withResolvers<void>()
  const late = Promise.withResolvers<number[][]>()
  let count = 0
  child.on('message', (message: Message) => {
    if (message.type === 'read') late.resolve(message.late)
    else if (++count === readers) reading.resolve()
  })
  child.on('exit', code => {
    const error = new Error(`A reader ended with ${code}; see what it printed.`)
    reading.reject(error)
    late.reject(error)
  })
  return { reading: reading.promise, late: late.promise }
}

function rowOfOne({ late, cpuPercent }: Measured): Row {
  const all = late.flat()
  const [p50, p99] = [median(all), percentile(all, 0.99)]
  return {
    what: `stream: delta written → read in another OS process, ${PER_SECOND}/s, p50 / p99`,
    ours: `${ms(p50)} / ${ms(p99)}; worker ${cpuPercent.toFixed(1)} % of a core`,
    reference: "Temporal's workflow streams: about 100 ms a round trip (quoted)",
    bound: {
      text: `≤ ${ms(MOST_P50_MS)} / ≤ ${ms(MOST_P99_MS)}`,
      isMet: p50 <= MOST_P50_MS && p99 <= MOST_P99_MS,
    },
  }
}

function rowOfMany({ late, cpuPercent }: Measured): Row {
  const slowest = worst(late.map(each => worst(each)))
  return {
    what: `stream: ${late.length} readers in ${MANY.processes} OS processes, ${PER_SECOND}/s, p50 / slowest`,
    ours: `${ms(median(late.flat()))} / ${ms(slowest)}; worker ${cpuPercent.toFixed(1)} % of a core`,
    reference: '',
    bound: { text: `slowest ≤ ${ms(MOST_OF_MANY_MS)}`, isMet: slowest <= MOST_OF_MANY_MS },
  }
}
