import { expect } from 'vitest'
import type { ToolCallAnswer } from '../../model/pending-call.ts'
import type { WaitState } from '../../model/wait.ts'
import { COMPLETED, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const YES: ToolCallAnswer = { status: 'success', value: { approved: true } }
const NO: ToolCallAnswer = { status: 'failure', message: 'the form was never sent' }

const waitFor = (key: string, sinceMs: number, untilMs?: number): WaitState => ({
  key: `process:p:answer:${key}`,
  sinceMs,
  ...(untilMs === undefined ? {} : { untilMs }),
  on: { type: 'external_key', key },
})

export function pendingCallCases(it: Case): void {
  it('a call that was opened is found by its key, without an answer', async ({
    registry,
    clock,
    register,
    run,
  }) => {
    const id = await register()
    const lease = await run(id)
    const call = { key: 'form-7', processId: id, openedAtMs: clock.now(), untilMs: clock.now() + 1 }
    expect(await registry.openCall(lease, { key: 'form-7', untilMs: call.untilMs })).toEqual(call)
    expect(await registry.pendingCall('form-7')).toEqual(call)
    expect(await registry.pendingCall('form-8')).toBeUndefined()
  })

  it('opened again by the next attempt, the call is as it was, its answer too', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const first = await registry.openCall(await world.run(id), { key: 'k', untilMs: clock.now() + 9 * TTL })
    await registry.completeToolCall('k', YES)
    clock.advance(TTL)
    const lease = await world.run(id)
    expect(await registry.openCall(lease, { key: 'k' })).toEqual({
      ...first,
      answer: YES,
      answeredAtMs: clock.now() - TTL,
    })
  })

  it("another process's key is refused", async world => {
    const { registry } = world
    await registry.openCall(await world.run(await world.register({ id: 'one' })), { key: 'k' })
    const lease = await world.run(await world.register({ id: 'two' }))
    await refused(registry.openCall(lease, { key: 'k' }), 'tool_call_key_taken')
  })

  it('of two processes that open one key at once, one has it', async world => {
    const { registry } = world
    const leases = await Promise.all(
      ['one', 'two', 'three'].map(async id => world.run(await world.register({ id }))),
    )
    const opened = await Promise.allSettled(leases.map(lease => registry.openCall(lease, { key: 'k' })))
    expect(opened.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(await registry.pendingCall('k')).toMatchObject({ key: 'k' })
  })

  it('nobody opens a call under a lease that is gone', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await world.run(id)
    clock.advance(TTL)
    await refused(registry.openCall(lease, { key: 'k' }), 'process_lease_lost')
    expect(await registry.pendingCall('k')).toBeUndefined()
  })

  for (const key of ['', ' ', 'a\nb', 'k'.repeat(501)]) {
    it(`the key ${JSON.stringify(key.slice(0, 5))} of ${key.length} characters is refused`, async world => {
      const lease = await world.run(await world.register())
      await refused(world.registry.openCall(lease, { key }), 'usage')
      await refused(world.registry.completeToolCall(key, YES), 'usage')
    })
  }

  it('the answer is kept, and the first one stays', async world => {
    const { registry, clock } = world
    const id = await world.register()
    await registry.openCall(await world.run(id), { key: 'k' })
    expect(await registry.completeToolCall('k', YES)).toMatchObject({
      type: 'answered',
      record: { id, status: 'running' },
      isDue: false,
    })
    expect(await registry.pendingCall('k')).toMatchObject({ answer: YES, answeredAtMs: clock.now() })
    await unchanged(world, id, async () => {
      expect(await registry.completeToolCall('k', YES)).toMatchObject({ type: 'replayed', isDue: false })
      await refused(registry.completeToolCall('k', NO), 'tool_call_answered')
    })
    expect(await registry.pendingCall('k')).toMatchObject({ answer: YES })
  })

  it('of two answers given at once, one stays', async world => {
    const { registry } = world
    await registry.openCall(await world.run(await world.register()), { key: 'k' })
    const given = await Promise.allSettled([YES, NO].map(answer => registry.completeToolCall('k', answer)))
    const [kept] = [YES, NO].filter((_, index) => given[index]?.status === 'fulfilled')
    expect(given.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await registry.pendingCall('k')).toMatchObject({ answer: kept })
  })

  it('an answer to no call, to one of an ended process, or after the deadline is refused', async world => {
    const { registry, clock } = world
    await refused(registry.completeToolCall('k', YES), 'tool_call_unknown')
    const ended = await world.run(await world.register({ id: 'ended' }))
    await registry.openCall(ended, { key: 'k' })
    await registry.completeWithLease(ended, COMPLETED)
    await refused(registry.completeToolCall('k', YES), 'process_already_terminal')
    const slow = await world.run(await world.register({ id: 'slow' }))
    await registry.openCall(slow, { key: 'late', untilMs: clock.now() + 10 })
    clock.advance(11)
    await refused(registry.completeToolCall('late', YES), 'tool_call_expired')
    expect(await registry.pendingCall('late')).not.toHaveProperty('answer')
  })

  it('a row in work hears of the answer by a change of its row', async world => {
    const { registry } = world
    const id = await world.register()
    await registry.openCall(await world.run(id), { key: 'k' })
    const cursor = await registry.latestChange()
    await registry.completeToolCall('k', YES)
    expect((await registry.changesSince(cursor, 10)).changes.map(change => change.id)).toEqual([id])
    expect(await world.due()).toEqual([])
  })

  it('a process that is parked for the answer is due with it', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.openCall(lease, { key: 'k' })
    expect(await registry.park(lease, [waitFor('k', clock.now())])).toEqual({ type: 'parked' })
    expect(await world.begin(id)).toEqual({ type: 'parked' })
    expect(await world.due()).toEqual([])
    expect(await registry.completeToolCall('k', NO)).toMatchObject({ type: 'answered', isDue: true })
    expect(await world.due()).toEqual([id])
    expect(await world.begin(id)).toMatchObject({ type: 'run' })
  })

  it('nobody parks for an answer that is there', async world => {
    const { registry, clock } = world
    const lease = await world.start(await world.register())
    await registry.openCall(lease, { key: 'k' })
    await registry.completeToolCall('k', YES)
    expect(await registry.park(lease, [waitFor('k', clock.now())])).toEqual({ type: 'due' })
  })

  it('a park and its answer at the same moment never miss each other', async world => {
    const { registry, clock } = world
    for (let round = 0; round < 20; round++) {
      const key = `k${round}`
      const id = await world.register({ id: `p${round}` })
      const lease = await world.start(id)
      await registry.openCall(lease, { key })
      const [parked] = await Promise.all([
        registry.park(lease, [waitFor(key, clock.now())]),
        registry.completeToolCall(key, YES),
      ])
      if (parked.type === 'parked') expect(await world.due()).toContain(id)
      const next = parked.type === 'due' ? lease : await world.run(id)
      await registry.completeWithLease(next, COMPLETED)
    }
  })

  it('another process that waits for the answer is due with it too', async world => {
    const { registry, clock } = world
    await registry.openCall(await world.run(await world.register({ id: 'asks' })), { key: 'k' })
    const other = await world.register({ id: 'waits' })
    await registry.park(await world.start(other), [waitFor('k', clock.now())])
    await registry.completeToolCall('k', YES)
    expect(await world.due()).toEqual([other])
  })

  it('an answer that is too large is refused, and changes nothing', async world => {
    const { registry } = world
    const id = await world.register()
    await registry.openCall(await world.run(id), { key: 'k' })
    const value = 'x'.repeat(16 * 1024 * 1024)
    await unchanged(world, id, () =>
      refused(registry.completeToolCall('k', { status: 'success', value }), 'payload_too_large'),
    )
  })
}
