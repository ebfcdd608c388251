import { expect } from 'vitest'
import { COMPLETED, registration, timer } from './fixtures.ts'
import type { Case } from './harness.ts'

export function figureCases(it: Case): void {
  it('each process that has not ended is counted once, by where it stands', async world => {
    const { registry, clock } = world
    const flow = { concurrency: { key: 'k', limit: 1 } }
    for (const id of ['running', 'queued']) await world.register({ id, flow })
    for (const id of ['fresh', 'waiting', 'ended']) await world.register({ id })
    await world.run('running')
    await world.begin('queued')
    await registry.setWait('waiting', timer('nap', clock.now()))
    await registry.completeWithLease(await world.run('ended'), COMPLETED)
    expect(await registry.figures()).toEqual({
      live: { active: 2, waiting: 1, queued: 1, silent: 0 },
      oldestWakeMs: 0,
    })
  })

  it('the oldest open wake says how long it has been waiting', async world => {
    const { registry, clock } = world
    const eventTypes = [
      { name: 'news', payloadSchema: true, semantics: { wake: { input: 'payload' } } },
    ] as const
    await world.register({ wakeTarget: { sessionId: 's' }, eventTypes })
    await registry.append('p', { eventType: 'news', payload: null })
    clock.advance(500)
    await registry.append('p', { eventType: 'news', payload: null })
    clock.advance(500)
    expect((await registry.figures()).oldestWakeMs).toBe(1_000)
  })

  it('a row keeps the trace of its first start, and no other start changes it', async ({ registry }) => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await registry.register(registration(), { traceparent })
    await registry.register(registration(), { traceparent: traceparent.replace('0af', '0bf') })
    expect((await registry.situation('p')).stored.traceparent).toBe(traceparent)
  })
}
