/** The network between a client or a worker and the server breaks, and the server goes on. */
import { expect, inject, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openLink } from '../support/open-link.ts'
import { operate } from '../support/temporal-cli.ts'
import { openWorld } from '../support/temporal-world.ts'

const SHORT = { ttlMs: 900, renewIntervalMs: 300 }

test('a start whose answer is lost is made again, and comes to the one run that there is (H2)', async () => {
  const quick = defineEngine({ disposition: 'rerunnable', run: ctx => ctx.attempt })
  const address = inject('temporalAddress')
  const link = await openLink(address)
  await using world = await openWorld({ engines: { quick }, address: link.address })
  const id = `answerless-${world.registry.registryId}`
  const request = { kind: 'quick', id } as const
  link.loseAnswers()
  const starting = world.processes.start(request).catch(() => world.processes.start(request))
  await eventually(() => operate(['workflow', 'describe', '--workflow-id', id]).then(() => true))
  link.mend()
  const handle = await starting
  const { runId } = await world.workflow(id).describe()
  const { externalRef } = await handle.describe()
  expect(externalRef).toMatchObject({ backend: 'temporal', id })
  expect(await world.processes.start(request)).toMatchObject({ started: false })
  expect((await handle.describe()).externalRef).toEqual(externalRef)
  await world.startWorker({ address })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
  await world.workflow(id).result()
  expect((await world.workflow(id).describe()).runId).toBe(runId)
})

test.each([0, 1])(
  'an attempt whose worker is cut off goes on under its lease, uses up no other, and the workflow learns of its end; with %i other workers (H13, §6 #231)',
  async others => {
    const gate = createGate()
    const held = defineEngine({
      disposition: 'rerunnable',
      run: ctx => gate.pass(ctx.signal).then(() => ctx.attempt),
    })
    const link = await openLink(inject('temporalAddress'))
    await using world = await openWorld({ engines: { held }, leaseTimings: SHORT })
    await world.startWorker({ address: link.address })
    const handle = await world.processes.start({ kind: 'held', maxAttempts: 1 })
    await eventually(() => gate.arrivals === 1)
    for (let nth = 0; nth < others; nth++) await world.startWorker()
    link.cut()
    // The server has missed its heartbeats, and would have somebody else run it.
    await eventually(async () => {
      const { raw } = await world.workflow(handle.id).describe()
      expect(raw.pendingActivities?.[0]?.attempt).toBeGreaterThan(1)
    })
    gate.open()
    expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
    if (others === 0) link.mend()
    expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
    expect(gate.arrivals).toBe(1)
    link.mend()
  },
)

test('a signal between a park and the server’s word of it is not lost', async () => {
  const gate = createGate()
  const listener = defineEngine({
    disposition: 'rerunnable',
    events: { 'signal.go': true },
    async run(ctx) {
      await ctx.step('first', () => gate.pass())
      return [(await ctx.waitForSignal('go')).payload, ctx.attempt]
    },
  })
  const link = await openLink(inject('temporalAddress'))
  await using world = await openWorld({ engines: { listener } })
  await world.startWorker({ address: link.address, parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'listener' })
  await eventually(() => gate.arrivals === 1)
  link.cut()
  gate.open()
  await eventually(async () => expect((await handle.describe()).waits).toHaveLength(1))
  await handle.signal('go', 'now')
  link.mend()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: ['now', 2] })
  await world.workflow(handle.id).result()
  const { events = [] } = await world.workflow(handle.id).fetchHistory()
  const signalled = events?.findIndex(event => event.workflowExecutionSignaledEventAttributes != null)
  const parked = events?.findIndex(event => event.activityTaskCompletedEventAttributes != null)
  expect(signalled).toBeGreaterThan(0)
  expect(signalled).toBeLessThan(parked ?? 0)
})
