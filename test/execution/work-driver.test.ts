import { expect, onTestFinished, test } from 'vitest'
import {
  defineHost,
  type InlineDriverOptions,
  type Logger,
  type Outcome,
  type ProcessAttach,
  ProcessAwaiter,
  type ProcessContext,
  ProcessWorkDriver,
} from '../../src/index.ts'
import type { ProcessEvent } from '../../src/model/event.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { captureEnvironment, registryEnvironments } from '../../src/runtime/environment.ts'
import { prepareStart } from '../../src/runtime/start-request.ts'
import { COMPLETED, registration } from '../../src/testing/registry-suite/fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { silent, work } from './stage.ts'

const AUTHORITY = { authority: 'workflow_key', workflowKey: 'p' } as const
const REF = { backend: 'the test', id: 'run' }
const nobody = { claimAndRunPending: async () => {} }

/** A bare registry with the process `p`, and a driver that wraps it. */
async function openDriver(sink?: { emit(event: ProcessEvent): void }) {
  const bare = createProcessRegistry(createMemoryStore())
  const driver = ProcessWorkDriver.over(bare, nobody, {
    logger: silent,
    ...(sink === undefined ? {} : { sink }),
  })
  onTestFinished(() => driver.registry.close())
  await driver.registry.register(registration())
  return { bare, driver }
}

/** A backend that keeps waits for ends; says how often it was asked. */
function attaching(answer: () => Promise<Outcome>) {
  const asked: string[] = []
  const attach: ProcessAttach = {
    awaitTerminal: id => {
      asked.push(id)
      return answer()
    },
  }
  return { attach, asked }
}

test('awaiting an unknown id is an error, with and without an attach (§6 #132)', async () => {
  const { driver } = await openDriver()
  const { attach, asked } = attaching(async () => COMPLETED)
  for (const one of [driver, driver.withAttach(attach)]) {
    await expect(one.awaitTerminal('nobody')).rejects.toMatchObject({ code: 'process_unknown' })
    await expect(one.awaitEvent('nobody', 'note', 0)).rejects.toMatchObject({ code: 'process_unknown' })
  }
  expect(asked).toEqual([])
})

test('a terminal row answers by itself, and the attach is not asked (§6 #133)', async () => {
  const { driver } = await openDriver()
  await driver.registry.setExternalRef('p', REF)
  await driver.registry.complete('p', COMPLETED, AUTHORITY)
  const { attach, asked } = attaching(async () => COMPLETED)
  expect(await driver.withAttach(attach).awaitTerminal('p')).toEqual(COMPLETED)
  expect(asked).toEqual([])
})

test('an attach that fails is the answer, and nobody looks for another (§6 #134)', async () => {
  const { driver } = await openDriver()
  await driver.registry.setExternalRef('p', REF)
  const { attach, asked } = attaching(() => Promise.reject(new Error('the backend is gone')))
  await expect(driver.withAttach(attach).awaitTerminal('p')).rejects.toThrow('the backend is gone')
  expect(asked).toEqual(['p'])
  expect(driver.hub.size).toBe(0)
})

test('an attach waits for what its backend has been given, and for nothing else', async () => {
  const { driver } = await openDriver()
  const { attach, asked } = attaching(async () => ({ status: 'cancelled', message: 'so it says' }))
  const attached = driver.withAttach(attach)
  const waiting = attached.awaitTerminal('p')
  await eventually(() => driver.hub.size === 1)
  await driver.registry.setExternalRef('p', REF)
  expect(await attached.awaitTerminal('p')).toMatchObject({ message: 'so it says' })
  expect(asked).toEqual(['p'])
  await driver.registry.complete('p', COMPLETED, AUTHORITY)
  expect(await waiting).toEqual(COMPLETED)
})

test('events are never waited for by the attach', async () => {
  const { driver } = await openDriver()
  await driver.registry.setExternalRef('p', REF)
  const { attach, asked } = attaching(async () => COMPLETED)
  const waiting = driver.withAttach(attach).awaitEvent('p', 'note', 0)
  await driver.registry.append('p', { eventType: 'note', payload: 1 })
  expect(await waiting).toMatchObject({ eventType: 'note', payload: 1 })
  expect(asked).toEqual([])
})

test('what is written through the driver’s registry is heard by its hub, and wakes who waits by its awaiter (§6 #150)', async () => {
  const { bare, driver } = await openDriver()
  expect(driver.registry).not.toBe(bare)
  expect(driver.hub).toBe(driver.registry.hub)
  const ticks: (string | undefined)[] = []
  onTestFinished(driver.hub.subscribeAny(id => ticks.push(id)))
  const ends = [driver.awaitTerminal('p'), driver.awaiter.awaitTerminal('p')]
  await driver.registry.append('p', { eventType: 'note', payload: null })
  expect(ticks).toContain('p')
  await driver.registry.complete('p', COMPLETED, AUTHORITY)
  expect(await Promise.all(ends)).toEqual([COMPLETED, COMPLETED])
})

test('a registry that is wrapped already is not wrapped again', async () => {
  const { driver } = await openDriver()
  const second = ProcessWorkDriver.fromWatched(driver.registry, nobody)
  expect(second.registry).toBe(driver.registry)
  expect(second.hub).toBe(driver.hub)
  expect(second.withAttach(attaching(async () => COMPLETED).attach).registry).toBe(driver.registry)
})

test('a driver’s sink hears what is appended through it (§6 #144)', async () => {
  const heard: string[] = []
  const { driver } = await openDriver({ emit: event => heard.push(event.eventType) })
  await driver.registry.append('p', { eventType: 'note', payload: null })
  await eventually(() => expect(heard).toEqual(['note']))
})

test('a run handle that fails is logged with the reason, and the caller is told (§6 #148)', async () => {
  const { driver } = await openDriver()
  const logged: unknown[] = []
  const logger: Logger = { ...silent, warn: (_, fields) => logged.push(fields) }
  const failing = ProcessWorkDriver.fromWatched(
    driver.registry,
    { claimAndRunPending: () => Promise.reject(new Error('nobody there')) },
    { logger },
  )
  await expect(failing.claimAndRunPending('session open')).rejects.toThrow('nobody there')
  expect(logged).toEqual([{ reason: 'session open', error: 'nobody there' }])
})

/** What a host has that drives by itself: its module, a registry that it opened, and the driver over them. */
async function openInlineDriver(run: Parameters<typeof work>[0], options: InlineDriverOptions = {}) {
  const host = defineHost({
    registry: { description: 'the test', open: async () => createProcessRegistry(createMemoryStore()) },
    engines: work(run),
  })
  const driver = ProcessWorkDriver.inline(host, await host.registry.open(), { logger: silent, ...options })
  onTestFinished(() => driver.registry.close())
  const start = async () => {
    const { registration, environment } = await prepareStart(host, { kind: 'work', input: null })
    if (environment === undefined) throw new Error('an engine runs in an environment')
    const envRef = await captureEnvironment(registryEnvironments(driver.registry), environment)
    return (await driver.registry.register({ ...registration, envRef })).record.id
  }
  return { driver, start }
}

test('an inline driver runs what is pending, without waiting for the sweep’s moment (§6 #149)', async () => {
  const { driver, start } = await openInlineDriver(() => 'done')
  const ids = [await start(), await start()]
  await driver.claimAndRunPending('session open')
  for (const id of ids) expect(await driver.awaitTerminal(id)).toEqual({ status: 'completed', value: 'done' })
})

test('an inline driver with little room still runs all that was pending, one after the other', async () => {
  const { driver, start } = await openInlineDriver(() => 'done', { concurrency: 1 })
  const ids = []
  for (let index = 0; index < 5; index++) ids.push(await start())
  await driver.claimAndRunPending('session open')
  for (const id of ids) expect(await driver.awaitTerminal(id)).toMatchObject({ status: 'completed' })
})

test('an inline driver tells its sink what its processes append, and stops them when it is told to', async () => {
  const told: string[] = []
  const shutdown = new AbortController()
  const gate = createGate()
  const run = async (ctx: ProcessContext) => {
    await ctx.emit('note', 1)
    await gate.pass(ctx.signal)
  }
  const sink = { emit: (event: ProcessEvent) => void told.push(event.eventType) }
  const { driver, start } = await openInlineDriver(run, { sink, shutdown: shutdown.signal })
  const id = await start()
  await driver.claimAndRunPending('session open')
  await eventually(() => gate.arrivals === 1)
  shutdown.abort()
  await eventually(async () => expect(await driver.registry.getLease(id)).toBeUndefined())
  expect(await driver.registry.requireRecord(id)).toMatchObject({ status: 'running', attempts: 1 })
  await eventually(() => expect(told).toEqual(['note']))
})

test('driving twice runs nothing twice (§6 #182)', async () => {
  const gate = createGate()
  const { driver, start } = await openInlineDriver(() => gate.pass())
  const id = await start()
  await driver.claimAndRunPending('one')
  await eventually(() => gate.arrivals === 1)
  await driver.claimAndRunPending('two')
  gate.open()
  await driver.awaitTerminal(id)
  expect(gate.arrivals).toBe(1)
  expect(await driver.registry.requireRecord(id)).toMatchObject({ attempts: 1 })
})

test('whom nobody tells looks after 25 ms, then half as often each time, down to every second (§6 #138)', {
  timeout: 30_000,
}, async () => {
  const waitedMs: number[] = []
  const bare = createProcessRegistry(createMemoryStore())
  await bare.register(registration())
  let lookedAt = performance.now()
  const counting = {
    ...bare,
    requireRecord: async (id: string) => {
      waitedMs.push(performance.now() - lookedAt)
      lookedAt = performance.now()
      return bare.requireRecord(id)
    },
  }
  const end = new ProcessAwaiter(counting).awaitTerminal('p')
  await eventually(() => waitedMs.length >= 7)
  await bare.complete('p', COMPLETED, AUTHORITY)
  expect(await end).toEqual(COMPLETED)
  const [, ...waits] = waitedMs
  // Timers are never early by more than their own rounding; late they may be, on a busy machine.
  for (const [index, leastMs] of [25, 50, 100, 200, 400, 800, 1_000].entries()) {
    expect(waits[index]).toBeGreaterThan(leastMs - 2)
  }
})

test('an abort ends a wait of either awaiter promptly, and leaves no subscription (§6 #140)', async () => {
  const { bare, driver } = await openDriver()
  const abort = new AbortController()
  const { signal } = abort
  const waits = [
    driver.awaitTerminal('p', { signal }),
    new ProcessAwaiter(bare).awaitTerminal('p', { signal }),
  ]
  await eventually(() => driver.hub.size === 1)
  abort.abort(new Error('enough'))
  for (const wait of waits) await expect(wait).rejects.toThrow('enough')
  expect(driver.hub.size).toBe(0)
})

test('a sink that forgets loses nothing: the log has the whole history (§6 #146)', async () => {
  const { driver } = await openDriver({ emit: () => {} })
  for (let index = 0; index < 3; index++)
    await driver.registry.append('p', { eventType: 'note', payload: index })
  const events = await driver.registry.eventsAfter('p', 0)
  expect(events.map(event => event.payload)).toEqual([0, 1, 2])
})
