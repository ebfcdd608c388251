import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { TemporalRunHandle } from '../../src/client/temporal-run-handle.ts'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import { ProcessRunner } from '../../src/execution/runner.ts'
import { sweepOnce } from '../../src/maintenance/sweep.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import type { Row } from '../support/bench.ts'
import { createBenchHost } from '../support/leasehold-host.ts'
import { median, repeat, timed } from '../support/statistics.ts'
import { figure, ms } from '../support/table.ts'

const MANY = 10_000
const SWEEPS = 50
const MOST_MEGABYTES = 30
const MOST_SWEEP_MS = 100
const MEGABYTE = 1024 * 1024

export type ParkingRequest = { readonly type: 'start'; readonly count: number } | { readonly type: 'memory' }

export type ParkingAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'started' }
  | { readonly type: 'memory'; readonly bytes: number }

/** What processes cost that only wait: the worker that ran them, and whoever looks for what is due. */
export async function parkedMany(folder: string): Promise<Row[]> {
  const registryPath = join(folder, 'parked.db')
  const { before, after, found, idle } = await memoriesOfWorkers(folder, registryPath)
  const { tookMs, calls } = await sweepMany(registryPath)
  const [grown, above] = [(after - before) / MEGABYTE, (found - idle) / MEGABYTE]
  return [
    {
      what: `inline, ${MANY} more processes parked: what their worker's memory grows by`,
      ours: `${figure(grown)} MB`,
      reference: `before, with ${MANY} parked: ${figure(before / MEGABYTE)} MB`,
      bound: { text: `≤ ${MOST_MEGABYTES} MB`, isMet: grown <= MOST_MEGABYTES },
    },
    {
      what: `inline, ${2 * MANY} processes parked by others: memory of a worker above an idle one's`,
      ours: `${figure(above)} MB`,
      reference: `idle: ${figure(idle / MEGABYTE)} MB`,
      bound: { text: `≤ ${MOST_MEGABYTES} MB`, isMet: above <= MOST_MEGABYTES },
    },
    {
      what: `${2 * MANY} processes parked: one sweep, with Temporal behind it, p50`,
      ours: `${ms(tookMs)}, ${calls} calls to Temporal`,
      reference: '',
      bound: { text: `≤ ${ms(MOST_SWEEP_MS)}, 0 calls`, isMet: tookMs <= MOST_SWEEP_MS && calls === 0 },
    },
  ]
}

interface Memories {
  /** Of one worker, with as many parked as are started next, and then. */
  readonly before: number
  readonly after: number
  /** Of another that finds them there, and of one that finds nothing. */
  readonly found: number
  readonly idle: number
}

async function memoriesOfWorkers(folder: string, registryPath: string): Promise<Memories> {
  // As many before them: what a burst of starts has made the heap grow to, V8 keeps for the next one.
  const [before = 0, after = 0] = await memoriesOf(registryPath, [MANY, MANY])
  const [found = 0] = await memoriesOf(registryPath, [1])
  const [idle = 0] = await memoriesOf(join(folder, 'idle.db'), [1])
  return { before, after, found, idle }
}

/** What a new worker has, in bytes, each time that it has started so many, and all are parked. */
async function memoriesOf(registryPath: string, counts: readonly number[]): Promise<number[]> {
  const script = fileURLToPath(new URL('parking-main.ts', import.meta.url))
  const child = fork(script, [registryPath], { execArgv: [...process.execArgv, '--expose-gc'] })
  const exited = once(child, 'exit')
  const next = async (): Promise<ParkingAnswer> => {
    const ended = exited.then(([code]): never => {
      throw new Error(`parking-main.ts ended with ${code}; see what it printed.`)
    })
    const [answer]: ParkingAnswer[] = await Promise.race([once(child, 'message'), ended])
    if (answer === undefined) throw new Error('parking-main.ts said nothing.')
    return answer
  }
  const ask = (request: ParkingRequest): Promise<ParkingAnswer> => {
    const answer = next()
    child.send(request)
    return answer
  }
  const memories: number[] = []
  try {
    await next()
    for (const count of counts) {
      await ask({ type: 'start', count })
      await untilAllParked(registryPath)
      const answer = await ask({ type: 'memory' })
      if (answer.type !== 'memory') throw new Error(`parking-main.ts answered ${answer.type}.`)
      memories.push(answer.bytes)
    }
    return memories
  } finally {
    if (child.connected) child.disconnect()
    await exited
  }
}

async function untilAllParked(registryPath: string): Promise<void> {
  const database = new DatabaseSync(registryPath, { readOnly: true })
  try {
    const count = database.prepare('select count(*) as running from processes where wait_count = 0')
    while (count.get()?.running !== 0) await sleep(50)
  } finally {
    database.close()
  }
}

/** As a worker on Temporal makes it. Whoever would ask the server connects to it first, and is counted here. */
async function sweepMany(registryPath: string): Promise<{ tookMs: number; calls: number }> {
  const host = createBenchHost(registryPath)
  const { registry, release } = await borrowRegistry(host.registry, {})
  let calls = 0
  const server = createServer(socket => {
    calls++
    socket.destroy()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  const connection = Connection.lazy({ address: `127.0.0.1:${address.port}` })
  try {
    const environment = createExecutionEnvironment(host, registry)
    const client = new Client({ connection })
    const handle = new TemporalRunHandle({ client, registry, taskQueue: 'bench' })
    const runner = new ProcessRunner(environment)
    const took: number[] = []
    await repeat(SWEEPS, async () => {
      took.push(await timed(() => sweepOnce(environment, runner, handle)))
    })
    return { tookMs: median(took), calls }
  } finally {
    await connection.close()
    server.close()
    await release()
  }
}
