import { describe, expect, test } from 'vitest'
import {
  createInlineWorker,
  defineEngine,
  defineHost,
  definePlugin,
  sqliteRegistry,
} from '../../src/index.ts'
import { temporaryPath } from '../registry/store-fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { scannedLogger } from '../support/scan/logs.ts'
import { openInline, REGISTRIES } from './world.ts'

const rerunnable = { disposition: 'rerunnable' } as const

describe.each(REGISTRIES)('inline workers on $name', ({ name, newAddress }) => {
  test('a process runs to its outcome, with its steps and events, and no server', async () => {
    const world = await openInline(await newAddress(), {
      greet: defineEngine({
        ...rerunnable,
        events: { said: true },
        async run(ctx) {
          const name = await ctx.step('name', () => 'ana')
          await ctx.emit('said', name)
          return `hello ${name}`
        },
      }),
    })
    await world.startWorker()
    const handle = await world.processes.start({ kind: 'greet', id: 'one' })
    expect(await handle.outcome()).toEqual({ status: 'completed', value: 'hello ana' })
    expect(handle.started).toBe(true)
    expect((await world.processes.start({ kind: 'greet', id: 'one' })).started).toBe(false)
    const types = (await world.registry.eventsAfter('one', 0)).map(event => event.eventType)
    expect(types).toEqual(['process.first_started', 'said', 'process.completed'])
    expect(await handle.describe()).toMatchObject({ attempts: 1, status: 'completed' })
    expect(await world.registry.msUntilDue()).toBeUndefined()
  })

  test('only in a file is another boot of the machine an end of whoever ran on it', async () => {
    const { registry } = await openInline(await newAddress(), {})
    expect(registry.isOfOneMachine).toBe(name === 'SQLite')
  })

  test('a durable request drains a worker: it stops, and its report says what became of each process (§6 #189)', async () => {
    const gate = createGate()
    const world = await openInline(await newAddress(), {
      rerun: defineEngine({ ...rerunnable, run: ctx => gate.pass(ctx.signal) }),
      bound: defineEngine({ disposition: 'owner_bound', run: ctx => gate.pass(ctx.signal) }),
      saved: defineEngine({
        disposition: 'owner_bound',
        run: ctx => gate.pass(ctx.signal).catch(() => 'saved'),
      }),
    })
    const worker = await world.startWorker()
    for (const kind of ['rerun', 'bound', 'saved'] as const) await world.processes.start({ kind, id: kind })
    await eventually(() => gate.arrivals === 3)
    const [row] = await world.registry.workers()
    const incarnation = row?.worker.incarnationId ?? ''
    await world.registry.requestDrain(incarnation, 'ops')
    await worker.run()
    const report = { ended: ['saved'], released: ['rerun'], abandoned: ['bound'], deferred: [] }
    expect(await world.registry.drainOf(incarnation)).toMatchObject({ requestedBy: 'ops', report })
    expect(await worker.stop()).toEqual(report)
    expect(await world.registry.workers()).toEqual([])
    expect(await world.registry.get('bound')).toMatchObject({
      outcome: { evidence: { writer: 'owner_drain', owner: { incarnationId: incarnation } } },
    })
    expect(await world.registry.get('saved')).toMatchObject({ outcome: { value: 'saved' } })
    expect(await world.registry.getLease('rerun')).toBeUndefined()
  })

  test('a process that was started before there was a worker runs when one comes', async () => {
    const world = await openInline(await newAddress(), {
      noop: defineEngine({ ...rerunnable, run: () => 1 }),
    })
    const handle = await world.processes.start({ kind: 'noop' })
    expect(await handle.describe()).toMatchObject({ attempts: 0 })
    await world.startWorker()
    expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
  })

  test('a worker that opened the registry for itself hears of what others start in it', async () => {
    const address = await newAddress()
    const engines = { noop: defineEngine({ ...rerunnable, run: () => 1 }) }
    const [here, there] = [await openInline(address, engines), await openInline(address, engines)]
    await there.startWorker()
    for (let index = 0; index < 5; index++) {
      const handle = await here.processes.start({ kind: 'noop' })
      expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
    }
  })

  test('of several workers on one registry each process has one run (§6 #183)', async () => {
    const address = await newAddress()
    const runs: string[] = []
    const engines = {
      once: defineEngine({ ...rerunnable, run: ctx => runs.push(ctx.id) }),
    }
    const worlds = await Promise.all([1, 2, 3].map(() => openInline(address, engines)))
    const [first] = worlds
    if (first === undefined) throw new Error('three were opened')
    const handles = await Promise.all(
      Array.from({ length: 60 }, (_, index) => first.processes.start({ kind: 'once', id: `p${index}` })),
    )
    await Promise.all(worlds.map(world => world.startWorker({ concurrency: 5 })))
    for (const handle of handles) expect(await handle.outcome()).toMatchObject({ status: 'completed' })
    expect(runs.toSorted()).toEqual(handles.map(handle => handle.id).toSorted())
    for (const handle of handles) expect(await handle.describe()).toMatchObject({ attempts: 1 })
  })

  test('no more processes run at a time than the concurrency allows, and all of them run', async () => {
    const gate = createGate()
    let [working, most] = [0, 0]
    const world = await openInline(await newAddress(), {
      busy: defineEngine({
        ...rerunnable,
        async run() {
          most = Math.max(most, ++working)
          await gate.pass()
          working--
        },
      }),
    })
    await world.startWorker({ concurrency: 2 })
    const handles = []
    for (let index = 0; index < 7; index++) handles.push(await world.processes.start({ kind: 'busy' }))
    await eventually(() => gate.arrivals === 2)
    gate.open()
    for (const handle of handles) expect(await handle.outcome()).toMatchObject({ status: 'completed' })
    expect(most).toBe(2)
  })

  test('a process that sleeps parks, and goes on at its time', async () => {
    const world = await openInline(await newAddress(), {
      nap: defineEngine({
        ...rerunnable,
        async run(ctx) {
          await ctx.sleep(400)
          return ctx.attempt
        },
      }),
    })
    await world.startWorker({ parkGraceMs: 20 })
    const handle = await world.processes.start({ kind: 'nap' })
    expect(await handle.outcome()).toEqual({ status: 'completed', value: 2 })
  })

  test('a cancel reaches running code, also from elsewhere (§6 #193)', async () => {
    const address = await newAddress()
    const engines = {
      wait: defineEngine({
        ...rerunnable,
        run: ctx => ctx.step('wait', ({ signal }) => createGate().pass(signal)),
      }),
    }
    const [here, there] = [await openInline(address, engines), await openInline(address, engines)]
    await there.startWorker()
    const handle = await here.processes.start({ kind: 'wait' })
    await eventually(async () => (await handle.describe()).firstStarted !== undefined)
    await handle.cancel('enough')
    expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'enough' })
  })

  test('a process that was cancelled before it began never runs (§6 #194)', async () => {
    let runs = 0
    const world = await openInline(await newAddress(), {
      noop: defineEngine({ ...rerunnable, run: () => ++runs }),
    })
    const handle = await world.processes.start({ kind: 'noop' })
    await handle.cancel('too late')
    await world.startWorker()
    expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'too late' })
    expect(runs).toBe(0)
  })

  test('a worker that stops gives rerunnable processes to the next, and ends owner-bound ones as drained', async () => {
    const gate = createGate()
    const run = async (ctx: { readonly signal: AbortSignal; readonly attempt: number }) => {
      if (ctx.attempt === 1) await gate.pass(ctx.signal)
      return ctx.attempt
    }
    const world = await openInline(await newAddress(), {
      again: defineEngine({ disposition: 'rerunnable', run }),
      once: defineEngine({ disposition: 'owner_bound', run }),
    })
    const first = await world.startWorker()
    const again = await world.processes.start({ kind: 'again' })
    const once = await world.processes.start({ kind: 'once' })
    await eventually(() => gate.arrivals === 2)
    await first.stop()
    expect(await once.outcome()).toMatchObject({
      status: 'abandoned',
      evidence: { writer: 'owner_drain', owner: { ownerId: first.id } },
    })
    expect(await again.describe()).toMatchObject({ status: 'running' })
    await world.startWorker()
    expect(await again.outcome()).toEqual({ status: 'completed', value: 2 })
  })

  test('a worker that stops lets what runs go on for the grace, and takes nothing new', async () => {
    const gate = createGate()
    const world = await openInline(await newAddress(), {
      busy: defineEngine({ ...rerunnable, run: () => gate.pass() }),
    })
    const worker = await world.startWorker({ shutdownGraceMs: 60_000 })
    const running = await world.processes.start({ kind: 'busy' })
    await eventually(() => gate.arrivals === 1)
    const stopped = worker.stop()
    const late = await world.processes.start({ kind: 'busy' })
    gate.open()
    await stopped
    expect(await running.describe()).toMatchObject({ status: 'completed' })
    expect(await late.describe()).toMatchObject({ status: 'running', attempts: 0 })
  })

  test('an external process with a request to abandon it is settled by a worker (§6 #171, #172)', async () => {
    const world = await openInline(await newAddress(), {})
    await world.startWorker()
    const left = await world.processes.start({ kind: 'external', input: {} })
    const asked = await world.processes.start({ kind: 'external', input: {} })
    await world.registry.requestAbandon(asked.id, { requestedBy: 'ana' })
    expect(await asked.outcome()).toMatchObject({ evidence: { writer: 'reconciled_request' } })
    expect(await left.describe()).toMatchObject({ status: 'running', attempts: 0 })
  })

  test('a started owner-bound process whose holder nobody can judge stays without an outcome (§6 #174)', async () => {
    const world = await openInline(await newAddress(), {
      own: defineEngine({ disposition: 'owner_bound', run: () => 1 }),
    })
    const handle = await world.processes.start({ kind: 'own' })
    const stranger = { ownerId: 'far', incarnationId: 'far', liveness: { kind: 'opaque' } } as const
    const begun = await world.registry.beginAttempt(handle.id, { worker: stranger, attempt: 'a', ttlMs: 1 })
    if (begun.type !== 'run') throw new Error(`it came to ${begun.type}`)
    await world.registry.reacquire(begun.lease, 200)
    const lease = await world.registry.getLease(handle.id)
    if (lease === undefined) throw new Error('it was just taken')
    await world.registry.enterBody(lease, stranger)
    await world.startWorker()
    const silent = await eventually(async () => {
      const record = await handle.describe()
      expect(record.silentSinceMs).toBeDefined()
      return record
    })
    expect(silent.status).toBe('running')
    expect(await world.registry.msUntilDue()).toBeUndefined()
    await world.registry.requestAbandon(handle.id, { requestedBy: 'ana' })
    expect(await handle.outcome()).toMatchObject({ evidence: { writer: 'reconciled_request' } })
  })
})

test('a worker may be stopped twice, and at once', async () => {
  const [sqlite] = REGISTRIES
  if (sqlite === undefined) throw new Error('SQLite is the first')
  const world = await openInline(await sqlite.newAddress(), {})
  const worker = await world.startWorker()
  await Promise.all([worker.stop(), worker.stop()])
  await worker.run()
})

test('a worker whose registry cannot be opened says so, and stops', async () => {
  const host = defineHost({ registry: sqliteRegistry({ path: '/dev/null/registry.db' }) })
  const worker = createInlineWorker(host, { logger: scannedLogger })
  await expect(worker.ready).rejects.toMatchObject({ code: expect.stringMatching(/^registry_/) })
  await expect(worker.run()).rejects.toMatchObject({ code: expect.stringMatching(/^registry_/) })
  await worker.stop()
})

test.each([0, -1, 1.5, Number.NaN])('a concurrency of %s is refused (§6 #202)', concurrency => {
  const host = defineHost({ registry: sqliteRegistry({ path: 'never-opened.db' }) })
  expect(() => createInlineWorker(host, { concurrency })).toThrow(
    expect.objectContaining({ code: 'host_invalid' }),
  )
})

test('a session that starts a process is its originator, is woken by it, and is the first to address it', async () => {
  const address = `sqlite:${await temporaryPath()}`
  const world = await openInline(address, { quick: defineEngine({ ...rerunnable, run: () => 1 }) })
  const session = { sessionId: 's', agentFrameId: 'f' }
  const { id } = await world.processes.start({ kind: 'quick', session })
  expect(await world.registry.get(id)).toMatchObject({
    provenance: { originator: { type: 'session', scope: session } },
    wakeTarget: session,
  })
  expect(await world.registry.hasGrant(session, id)).toBe(true)
  const other = await world.processes.start({ kind: 'quick' })
  expect(await world.registry.get(other.id)).toMatchObject({ provenance: { originator: { type: 'host' } } })
  expect(await world.registry.grantsForProcess(other.id)).toEqual([])
})

test('an inline worker refuses to start with plugins that cannot be made', async () => {
  const registry = sqliteRegistry({ path: await temporaryPath() })
  const plugin = definePlugin('index', () => Promise.reject(new Error('no such index')))
  const host = defineHost({ registry, plugins: [plugin] })
  const worker = createInlineWorker(host, { logger: scannedLogger })
  await expect(worker.ready).rejects.toMatchObject({
    code: 'host_invalid',
    message: expect.stringContaining('plugin "index" failed: no such index'),
  })
  await worker.run().catch(() => {})
})

test('a client that was disposed of says so, and so does what it has handed out; nothing is opened again', async () => {
  const address = `sqlite:${await temporaryPath()}`
  const { processes } = await openInline(address, { quick: defineEngine({ ...rerunnable, run: () => 1 }) })
  const handle = await processes.start({ kind: 'quick' })
  const session = processes.session('s')
  await processes[Symbol.asyncDispose]()
  await processes[Symbol.asyncDispose]()
  const calls = [
    () => processes.start({ kind: 'quick' }),
    () => handle.describe(),
    () => session.entries(),
    () => processes.triggers.list(),
  ]
  for (const call of calls) {
    await expect(call()).rejects.toMatchObject({
      code: 'registry_closed',
      message: expect.stringContaining('disposed of'),
    })
  }
})
