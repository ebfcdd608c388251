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
import {
  CONTINUE_AS_NEW_EVENTS,
  defaultTaskQueue,
  NUDGE_SIGNAL,
  OCCURRENCE_WORKFLOW_TYPE,
  WORKFLOW_TYPE,
} from '../../src/contract.ts'
import { startDevServer } from '../../src/dev-server/index.ts'
import { createProcessClient, createProcessWorker } from '../../src/index.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { registerExternal } from '../cli/records.ts'
import { isKept, keepHistory } from './kept-histories.ts'
import { recordedHost } from './recorded-host.ts'

Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') })
await using server = await startDevServer({
  env: process.env,
  cacheDir: join(homedir(), '.cache', 'leasehold'),
})
const folder = await mkdtemp(join(tmpdir(), 'leasehold-record-'))

const host = recordedHost(join(folder, 'leasehold.db'))
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

const { registry, release } = await borrowRegistry(host.registry)

type Handle = Awaited<ReturnType<typeof processes.start>>

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(20)
}
const untilParked = (handle: Handle) => until(async () => (await handle.describe()).waits.length > 0)
const untilEntered = (handle: Handle) =>
  until(async () => (await handle.describe()).firstStarted !== undefined)

/** Starts the workflow of an id by hand, as a server does that was put back from a copy, or an operator. */
const startByHand = (id: string) =>
  temporal.workflow.start(WORKFLOW_TYPE, {
    workflowId: id,
    taskQueue: defaultTaskQueue(registry.registryId),
    args: [{ registryId: registry.registryId, processId: id, heartbeatTimeoutMs: 30_000 }],
  })

/** A holder that nobody can judge has begun the process and is gone. */
async function enterAsGone(id: string): Promise<void> {
  const worker = { ownerId: 'gone', incarnationId: 'gone', liveness: { kind: 'opaque' } } as const
  const answer = await registry.beginAttempt(id, { worker, attempt: 'gone', ttlMs: 2_000 })
  if (answer.type !== 'run') throw new Error(`the attempt was not begun: ${answer.type}`)
  await registry.enterBody(answer.lease, worker)
}

async function save(name: string, workflowId: string, runId?: string): Promise<void> {
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

  async 'silent-and-then-abandoned'(name) {
    const { id } = await processes.start({ kind: 'owned', input })
    await enterAsGone(id)
    const stop = await startWorker()
    await until(async () => (await registry.get(id))?.silentSinceMs !== undefined)
    await registry.requestAbandon(id, { requestedBy: 'ana' })
    await temporal.workflow.getHandle(id).signal(NUDGE_SIGNAL, 'look')
    await temporal.workflow.getHandle(id).result()
    await save(name, id)
    await stop()
  },

  async 'started-for-work-of-somebody-else'(name) {
    const stop = await startWorker()
    await registerExternal(registry, 'theirs')
    const workflow = await startByHand('theirs')
    await workflow.result()
    await save(name, 'theirs')
    await stop()
  },

  async 'started-for-a-process-that-is-not-there'(name) {
    const stop = await startWorker()
    const workflow = await startByHand('nobody')
    await workflow.result().catch(() => {})
    await save(name, 'nobody')
    await stop()
  },

  async 'begun-by-a-nudge-after-its-end'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'quick', input })
    await temporal.workflow.getHandle(handle.id).result()
    const workflow = await temporal.workflow.signalWithStart(WORKFLOW_TYPE, {
      workflowId: handle.id,
      taskQueue: defaultTaskQueue(registry.registryId),
      args: [{ registryId: registry.registryId, processId: handle.id, heartbeatTimeoutMs: 30_000 }],
      signal: NUDGE_SIGNAL,
      signalArgs: ['look'],
    })
    await workflow.result()
    await save(name, handle.id)
    await stop()
  },

  async 'rolled-over'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'rolls', input })
    await temporal.workflow.getHandle(handle.id).result()
    await save(name, handle.id)
    await stop()
  },

  async 'reset-by-an-operator'(name) {
    const stop = await startWorker()
    const handle = await processes.start({ kind: 'nap', input })
    const workflow = temporal.workflow.getHandle(handle.id)
    await workflow.result()
    const { runId } = await workflow.describe()
    const { events } = await workflow.fetchHistory()
    const firstTask = events?.find(event => event.workflowTaskCompletedEventAttributes != null)
    await temporal.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.id, runId },
      workflowTaskFinishEventId: firstTask?.eventId ?? null,
      requestId: 'reset',
      reason: 'by an operator',
    })
    await until(async () => (await workflow.describe()).runId !== runId)
    await workflow.result()
    await save(name, handle.id)
    await stop()
  },

  async 'occurrence-told-by-a-schedule'(name) {
    const stop = await startWorker()
    await processes.triggers.add({ id: 'each second', on: { cron: '* * * * * *' }, start: { kind: 'quick' } })
    const query = `WorkflowType = "${OCCURRENCE_WORKFLOW_TYPE}" and ExecutionStatus = "Completed"`
    const first = async () => {
      for await (const { workflowId } of temporal.workflow.list({ query })) return workflowId
      return undefined
    }
    await until(async () => (await first()) !== undefined)
    await processes.triggers.remove('each second')
    await save(name, (await first()) ?? '')
    await stop()
  },

  async 'occurrence-of-no-trigger-tried-again'(name) {
    const workflowId = 'by hand'
    const args = [{ registryId: 'another', triggerId: 'none', incarnation: 'none', revision: 1 }]
    const taskQueue = defaultTaskQueue(registry.registryId)
    const stop = await startWorker()
    const workflow = await temporal.workflow.start(OCCURRENCE_WORKFLOW_TYPE, {
      workflowId,
      taskQueue,
      args,
      workflowTaskTimeout: '1s',
    })
    // Its task goes on, and is told to the server, while the activity is tried again.
    await until(async () => ((await workflow.fetchHistory()).events?.length ?? 0) > 5)
    await workflow.cancel()
    await workflow.result().catch(() => {})
    await save(name, workflowId)
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
  for (const [name, record] of Object.entries(SHAPES)) {
    if (isKept(name) || isKept(`${name}-the-run-after`)) console.log(`kept      ${name}`)
    else await record(name)
  }
} finally {
  await release()
  await processes[Symbol.asyncDispose]()
  await connection.close()
  await rm(folder, { recursive: true, force: true })
}
