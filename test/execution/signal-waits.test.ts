import { expect, test } from 'vitest'
import type { ProcessContext } from '../../src/index.ts'
import type { EngineTable } from '../../src/runtime/host.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type Stage } from './stage.ts'

const listening = (run: (ctx: ProcessContext) => unknown): EngineTable => ({
  work: {
    disposition: 'rerunnable',
    events: { 'signal.go': { type: 'object', required: ['by'] }, 'signal.stop': true, note: true },
    run,
  },
})

const go = (stage: Stage, id: string, by: string) => stage.registry.signal(id, 'go', { by })

test('a signal sent before the wait resolves it at once with its payload (§6 #69)', async () => {
  const stage = openStage({ engines: listening(ctx => ctx.waitForSignal('go')) })
  const id = await stage.start()
  await go(stage, id, 'ana')
  expect(await stage.outcome(id)).toEqual({
    status: 'completed',
    value: { sequence: 1, payload: { by: 'ana' } },
  })
  expect(await stage.events(id, 'process.waiting')).toEqual([])
})

test('a signal that comes while the process waits in memory resolves the wait in the same attempt', async () => {
  const stage = openStage({
    parkGraceMs: 60_000,
    engines: listening(async ctx => [await ctx.waitForSignal('go'), ctx.attempt]),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(async () => (await stage.registry.journal(id)).length === 1)
  await go(stage, id, 'ana')
  await running
  expect((await stage.record(id)).outcome).toMatchObject({ value: [{ payload: { by: 'ana' } }, 1] })
})

test('a process parked for a signal goes on when it comes, and tells both', async () => {
  const stage = openStage({ engines: listening(async ctx => [await ctx.waitForSignal('go'), ctx.attempt]) })
  const id = await stage.start()
  expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
  const key = `process:${id}:signal.go:1`
  expect((await stage.record(id)).waits).toMatchObject([{ key, on: { type: 'signal', name: 'go' } }])
  expect((await go(stage, id, 'ana')).isDue).toBe(true)
  expect(await stage.outcome(id)).toMatchObject({ value: [{ payload: { by: 'ana' } }, 2] })
  expect(await stage.events(id, 'process.waiting')).toMatchObject([{ payload: { key } }])
  expect(await stage.events(id, 'process.resumed')).toMatchObject([{ payload: { key } }])
})

test('two waits for one name take one signal each, in their order, and a replay gives the same', async () => {
  const gate = createGate()
  const seen: unknown[] = []
  const stage = openStage({
    engines: listening(async ctx => {
      for (let nth = 0; nth < 2; nth++) seen.push((await ctx.waitForSignal('go')).payload)
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  const id = await stage.start()
  for (const by of ['ana', 'ben', 'eve']) await go(stage, id, by)
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  expect(seen).toEqual([{ by: 'ana' }, { by: 'ben' }, { by: 'ana' }, { by: 'ben' }])
  expect(await stage.registry.nextSignal(id, 'go')).toMatchObject({ payload: { by: 'eve' } })
})

test('a wait that times out takes nothing: the signal that comes later is the next wait’s', async () => {
  const stage = openStage({
    parkGraceMs: 60_000,
    engines: listening(async ctx => {
      const first = await ctx.waitForSignal('go', { timeout: 30 })
      await ctx.emit('note', 'over')
      return [first ?? 'none', (await ctx.waitForSignal('go')).payload]
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(async () => (await stage.events(id, 'note')).length === 1)
  await go(stage, id, 'late')
  await running
  expect((await stage.record(id)).outcome).toMatchObject({ value: ['none', { by: 'late' }] })
})

test('a timeout that passes in a park is the answer, though a signal is there when the process is looked at again', async () => {
  const seen: unknown[] = []
  const stage = openStage({
    engines: listening(async ctx => {
      seen.push(await ctx.waitForSignal('go', { timeout: 120 }))
      return (await ctx.waitForSignal('go')).payload
    }),
  })
  const id = await stage.start()
  const parked = await stage.runner.run(id)
  const untilMs = parked.type === 'parked' ? (parked.untilMs ?? 0) : 0
  expect((await stage.record(id)).waits).toMatchObject([{ untilMs }])
  await eventually(() => Date.now() > untilMs)
  await go(stage, id, 'late')
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: { by: 'late' } })
  expect(seen).toEqual([undefined])
})

test('a signal that came in time is the answer, however late the process is looked at again', async () => {
  const stage = openStage({
    engines: listening(async ctx => (await ctx.waitForSignal('go', { timeout: 150 }))?.payload ?? 'none'),
  })
  const id = await stage.start()
  const parked = await stage.runner.run(id)
  await go(stage, id, 'ana')
  await eventually(() => Date.now() > (parked.type === 'parked' ? (parked.untilMs ?? 0) : 0))
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: { by: 'ana' } })
})

test('a timed-out wait is journaled: a replay times out as well, at once', async () => {
  const gate = createGate()
  const seen: unknown[] = []
  const stage = openStage({
    parkGraceMs: 60_000,
    engines: listening(async ctx => {
      seen.push(await ctx.waitForSignal('go', { timeout: 10 }))
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  const id = await stage.start()
  await replay(stage, id, async () => {
    await eventually(() => gate.arrivals === 1)
    await go(stage, id, 'late')
  })
  expect(seen).toEqual([undefined, undefined])
})

test('waits with keys may be made at once, and each has a number of its own', async () => {
  const stage = openStage({
    engines: listening(async ctx => {
      const [left, right] = await Promise.all(['left', 'right'].map(key => ctx.waitForSignal('go', { key })))
      return [left?.payload, right?.payload]
    }),
  })
  const id = await stage.start()
  await stage.runner.run(id)
  expect((await stage.record(id)).waits.map(wait => wait.key)).toEqual([
    `process:${id}:signal.go:1`,
    `process:${id}:signal.go:2`,
  ])
  await go(stage, id, 'ana')
  expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
  expect((await stage.record(id)).waits.map(wait => wait.key)).toEqual([`process:${id}:signal.go:2`])
  await go(stage, id, 'ben')
  expect(await stage.outcome(id)).toMatchObject({ value: [{ by: 'ana' }, { by: 'ben' }] })
})

test('two waits for one name at once need keys', async () => {
  const stage = openStage({
    engines: listening(ctx => Promise.all([ctx.waitForSignal('go'), ctx.waitForSignal('go')])),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'step_key_required' })
})

test('a signal and a timer race: what loses stays as it is', async () => {
  const stage = openStage({
    engines: listening(ctx =>
      Promise.race([ctx.waitForSignal('go').then(signal => signal.payload), ctx.sleep(60_000)]),
    ),
  })
  const id = await stage.start()
  expect(await stage.runner.run(id)).toMatchObject({ type: 'parked' })
  await go(stage, id, 'ana')
  expect(await stage.outcome(id)).toMatchObject({ value: { by: 'ana' } })
})

test('a signal that the kind does not declare, or of an impossible name, cannot be waited for (§6 #66, #67)', async () => {
  const stage = openStage({ engines: listening(ctx => ctx.waitForSignal(String(ctx.input))) })
  const codes = []
  for (const input of ['nothing', 'a b', '']) {
    const outcome = await stage.outcome(await stage.start({ input }))
    codes.push(outcome.status === 'failed' && outcome.code)
  }
  expect(codes).toEqual([
    'process_event_undeclared',
    'process_signal_name_invalid',
    'process_signal_name_invalid',
  ])
})

test('a cancel ends a wait with its reason', async () => {
  const stage = openStage({ parkGraceMs: 60_000, engines: listening(ctx => ctx.waitForSignal('go')) })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(async () => (await stage.registry.journal(id)).length === 1)
  await stage.registry.requestCancel(id, 'no longer wanted')
  expect(await running).toEqual({ type: 'done', status: 'cancelled' })
})

test('an owner-bound process waits for its signal in memory', async () => {
  const table = listening(async ctx => [await ctx.waitForSignal('go'), ctx.attempt])
  const stage = openStage({ engines: table })
  const id = await stage.start({ disposition: 'owner_bound' })
  const running = stage.runner.run(id)
  await eventually(async () => (await stage.registry.journal(id)).length === 1)
  await go(stage, id, 'ana')
  await running
  expect((await stage.record(id)).outcome).toMatchObject({ value: [{ payload: { by: 'ana' } }, 1] })
  expect(await stage.events(id, 'process.waiting')).toEqual([])
})

test('no wait is made inside a step', async () => {
  const stage = openStage({ engines: listening(ctx => ctx.step('s', () => ctx.waitForSignal('go'))) })
  expect(await stage.outcome(await stage.start())).toMatchObject({
    code: 'step_failed',
    message: expect.stringContaining('inside step'),
  })
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('a timeout of %d is refused', async timeout => {
  const stage = openStage({ engines: listening(ctx => ctx.waitForSignal('go', { timeout })) })
  expect(await stage.outcome(await stage.start())).toMatchObject({
    message: expect.stringContaining('timeout'),
  })
})
