/** The registry goes back in time, as a backup or a failover leaves it, and the server does not. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { defineEngine, isLeaseholdError } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { operate } from '../support/temporal-cli.ts'
import { openWorld } from '../support/temporal-world.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const listener = defineEngine({
  disposition: 'rerunnable',
  events: { 'signal.go': true },
  run: async ctx => [(await ctx.waitForSignal('go')).payload, ctx.attempt],
})

test('a registry restored from a copy goes on where the copy was, and what it does not know ends unwritten (H6, H8)', async () => {
  const gate = createGate()
  const held = defineEngine({
    disposition: 'rerunnable',
    run: ctx => gate.pass(ctx.signal).then(() => ctx.attempt),
  })
  const engines = { held, listener }
  const leaseTimings = { ttlMs: 900, renewIntervalMs: 300 }
  const folder = await temporaryFolder()
  const { ran, parked, younger } = await (async () => {
    await using world = await openWorld({ engines, leaseTimings })
    await world.startWorker({ parkGraceMs: 30 })
    const running = await world.processes.start({ kind: 'held' })
    const waiting = await world.processes.start({ kind: 'listener' })
    await eventually(() => gate.arrivals === 1)
    await eventually(async () => expect((await waiting.describe()).waits).toHaveLength(1))
    {
      using database = new DatabaseSync(world.registryPath, { timeout: 10_000 })
      database.prepare('vacuum into ?').run(join(folder, 'leasehold.db'))
    }
    const late = await world.processes.start({ kind: 'listener' })
    await eventually(async () => expect((await late.describe()).waits).toHaveLength(1))
    gate.open()
    await waiting.signal('go', 'before')
    expect(await running.outcome()).toEqual({ status: 'completed', value: 1 })
    expect(await waiting.outcome()).toEqual({ status: 'completed', value: ['before', 2] })
    for (const { id } of [running, waiting]) await world.workflow(id).result()
    return { ran: running.id, parked: waiting.id, younger: late.id }
  })()

  await using world = await openWorld({ engines, leaseTimings, folder })
  await world.startWorker({ parkGraceMs: 30 })
  // Their workflows have completed; the registry says that they have not.
  expect(await world.processes.handle(ran).outcome()).toEqual({ status: 'completed', value: 2 })
  await world.processes.handle(parked).signal('go', 'again')
  expect(await world.processes.handle(parked).outcome()).toEqual({ status: 'completed', value: ['again', 2] })
  // Its workflow is open still, and nobody knows the process.
  const workflow = ['--workflow-id', younger]
  await operate(['workflow', 'signal', ...workflow, '--name', 'nudge', '--input', '"look"'])
  expect(await world.workflow(younger).result()).toEqual({ status: 'unknown' })
  expect(await world.registry.get(younger)).toBeUndefined()
  expect(await world.processes.start({ kind: 'listener', id: younger })).toMatchObject({ started: true })
})

test('an attempt whose lease a failover has lost stops, writes nothing, and the next one runs (H12)', async () => {
  const gate = createGate()
  const reasons: unknown[] = []
  const held = defineEngine({
    disposition: 'rerunnable',
    async run(ctx) {
      if (gate.arrivals > 0) return ctx.step('last', () => 'of the second')
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      await gate.pass(ctx.signal)
      return ctx.step('last', () => 'of the first')
    },
  })
  await using world = await openWorld({
    engines: { held },
    leaseTimings: { ttlMs: 900, renewIntervalMs: 300 },
  })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  {
    using database = new DatabaseSync(world.registryPath, { timeout: 10_000 })
    // The transaction that took the lease was not among those that had reached the replica. That is what a failover leaves;
    // a real one needs a second database, and which of its last transactions it loses is nobody's to say.
    expect(database.prepare('delete from leases where process_id = ?').run(handle.id).changes).toBe(1)
  }
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 'of the second' })
  expect(reasons.map(reason => isLeaseholdError(reason, 'process_lease_lost'))).toEqual([true])
  const types = await world.eventTypes(handle.id)
  expect(types.filter(type => type === 'process.completed')).toHaveLength(1)
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
})
