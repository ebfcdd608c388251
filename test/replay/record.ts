/**
 * Records histories of the workflow as it is now: `node test/replay/record.ts`. What is recorded is kept for ever, for
 * runs of that age may still be open anywhere: a file that exists stays, and a changed workflow adds files of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker'
import { CONTINUE_AS_NEW_EVENTS, NUDGE_SIGNAL } from '../../src/contract.ts'
import { startDevServer } from '../../src/dev-server/index.ts'
import {
  createProcessClient,
  createProcessWorker,
  defineEngine,
  defineHost,
  sqliteRegistry,
} from '../../src/index.ts'
import { isKept, keepHistory } from './kept-histories.ts'

Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') })
await using server = await startDevServer({
  env: process.env,
  cacheDir: join(homedir(), '.cache', 'leasehold'),
})
const folder = await mkdtemp(join(tmpdir(), 'leasehold-record-'))

const host = defineHost({
  registry: sqliteRegistry({ path: join(folder, 'leasehold.db') }),
  engines: {
    quick: defineEngine({ disposition: 'rerunnable', run: () => 'done' }),
    nap: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.sleep(300) }),
    night: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.sleep(3_600_000) }),
    /** Takes its time to stop, so that Temporal's word reaches the activity as well. */
    listens: defineEngine({
      disposition: 'rerunnable',
      async run(ctx) {
        await new Promise(resolve => ctx.signal.addEventListener('abort', resolve))
        // Slow to stop, so that the history holds a cancel that the activity outlives for a while.
        await sleep(500)
        throw ctx.signal.reason
      },
    }),
    deaf: defineEngine({ disposition: 'rerunnable', run: () => new Promise<void>(() => {}) }),
  },
})
const input = null as never
const connection = await Connection.connect({ address: server.address })
const temporal = new Client({ connection, identity: 'recorder' })
const processes = createProcessClient({ host, temporal })

async function startWorker(options: { readonly shutdownGraceMs?: number } = {}) {
  const native = await NativeConnection.connect({ address: server.address })
  const worker = await createProcessWorker(host, {
    connection: native,
    parkGraceMs: 30,
    stopBoundMs: 1,
    worker: { ownerId: 'recorder', incarnationId: crypto.randomUUID(), liveness: { kind: 'opaque' } },
    ...options,
  })
  const running = worker.run()
  return async () => {
    await worker.stop()
    await running
    await native.close()
  }
}

type Handle = Awaited<ReturnType<typeof processes.start>>

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(20)
}
const untilParked = (handle: Handle) => until(async () => (await handle.describe()).waits.length > 0)
const untilEntered = (handle: Handle) =>
  until(async () => (await handle.describe()).firstStarted !== undefined)

async function save(name: string, workflowId: string, runId?: string): Promise<void> {
  if (isKept(name)) return console.log(`kept      ${name}`)
  const history = await temporal.workflow.getHandle(workflowId, runId).fetchHistory()
  keepHistory(name, history)
  console.log(`recorded  ${name}: ${history.events?.length} events`)
}

const SHAPES: Record<string, (name: string) => Promise<void>> = {
  async 'completed-in-one-attempt'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'quick', input })
    await temporal.workflow.getHandle(handle.id).result()
    await save(name, handle.id)
    await stop()
  },

  async 'parked-and-woken-by-a-nudge'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'nap', input })
    await temporal.workflow.getHandle(handle.id).result()
    await save(name, handle.id)
    await stop()
  },

  async 'cancelled-by-a-nudge'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'listens', input })
    await untilEntered(handle)
    await handle.cancel('stop')
    await temporal.workflow.getHandle(handle.id).result()
    await save(name, handle.id)
    await stop()
  },

  async 'cancelled-before-a-worker-came'(name) {
    const handle = await processes.start({ kind: 'quick', input })
    await temporal.workflow.getHandle(handle.id).cancel()
    const stop = await startWorker()
    await temporal.workflow.getHandle(handle.id).result()
    await save(name, handle.id)
    await stop()
  },

  async 'cancelled-by-temporal-while-running'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'listens', input })
    await untilEntered(handle)
    await temporal.workflow.getHandle(handle.id).cancel()
    await temporal.workflow.getHandle(handle.id).result()
    await save(name, handle.id)
    await stop()
  },

  async 'cancelled-by-temporal-while-parked'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'night', input })
    await untilParked(handle)
    await temporal.workflow.getHandle(handle.id).cancel()
    await temporal.workflow.getHandle(handle.id).result()
    await save(name, handle.id)
    await stop()
  },

  async 'retried-at-another-worker'(name) {
    const stopFirst = await startWorker({ shutdownGraceMs: 300 })
    const handle = await processes.start({ kind: 'deaf', input })
    await untilEntered(handle)
    await stopFirst()
    const stop = await startWorker()
    await until(async () => (await handle.describe()).attempts > 1)
    await handle.cancel()
    await stop()
    const stopLast = await startWorker()
    await temporal.workflow.getHandle(handle.id).result()
    await save(name, handle.id)
    await stopLast()
  },

  async 'failed-after-its-cancel-was-passed-on'(name) {
    const stopFirst = await startWorker({ shutdownGraceMs: 300 })
    const handle = await processes.start({ kind: 'deaf', input })
    await untilEntered(handle)
    await handle.cancel('stop')
    const workflow = temporal.workflow.getHandle(handle.id)
    // 3: the activity was asked to stop.
    await until(async () => (await workflow.describe()).raw.pendingActivities?.[0]?.state === 3)
    await stopFirst()
    const stop = await startWorker()
    await workflow.result()
    await save(name, handle.id)
    await stop()
  },

  async 'continued-as-new'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'night', input })
    await untilParked(handle)
    const workflow = temporal.workflow.getHandle(handle.id)
    const { runId } = await workflow.describe()
    // All at once and then none: a run that is signalled without a break cannot hand over to the next.
    for (let sent = 0; sent < CONTINUE_AS_NEW_EVENTS; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, () => workflow.signal(NUDGE_SIGNAL, 'look')))
    }
    await until(async () => (await workflow.describe()).runId !== runId)
    const next = await workflow.describe()
    await handle.cancel('enough')
    await workflow.result()
    await save(`${name}-the-run-before`, handle.id, runId)
    await save(`${name}-the-run-after`, handle.id, next.runId)
    await stop()
  },
}

try {
  for (const [name, record] of Object.entries(SHAPES)) await record(name)
} finally {
  await processes[Symbol.asyncDispose]()
  await connection.close()
  await rm(folder, { recursive: true, force: true })
}
