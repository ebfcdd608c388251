import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { eventually } from '../support/eventually.ts'
import { openStage, work } from './stage.ts'

test('a short sleep is waited for, and costs no second attempt', async () => {
  const stage = openStage({ parkGraceMs: 2_000, engines: work(ctx => ctx.sleep(20).then(() => ctx.attempt)) })
  const id = await stage.start()
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 1 })
  expect(await stage.events(id, 'process.waiting')).toEqual([])
})

test('a long sleep parks the attempt: the lease is free, the wait stands on the row, and it is due at its time', async () => {
  const stage = openStage({ engines: work(ctx => ctx.sleep(400).then(() => ctx.attempt)) })
  const id = await stage.start()
  const before = Date.now()
  const answer = await stage.runner.run(id)
  expect(answer).toMatchObject({ type: 'parked' })
  const untilMs = answer.type === 'parked' ? (answer.untilMs ?? 0) : 0
  expect(untilMs).toBeGreaterThanOrEqual(before + 400)
  expect(await stage.registry.getLease(id)).toBeUndefined()
  expect((await stage.record(id)).waits).toMatchObject([{ untilMs, on: { type: 'timer' } }])
  // Too early, it stays parked.
  expect(await stage.runner.run(id)).toEqual({ type: 'parked', untilMs })
  await eventually(async () => (await stage.registry.dueProcesses(10)).length === 1)
  expect(Date.now()).toBeGreaterThanOrEqual(untilMs)
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 2 })
  expect((await stage.events(id)).map(event => event.eventType)).toEqual([
    'process.first_started',
    'process.waiting',
    'process.resumed',
    'process.completed',
  ])
})

test('a sleep keeps the deadline that its first attempt set', async () => {
  const stage = openStage({ engines: work(ctx => ctx.sleep(300)) })
  const id = await stage.start()
  const parked = await stage.runner.run(id)
  const [entry] = await stage.registry.journal(id)
  expect(entry).toMatchObject({
    kind: 'sleep',
    status: 'claimed',
    value: { untilMs: Reflect.get(parked, 'untilMs') },
  })
  await stage.outcome(id)
  expect(await stage.registry.journal(id)).toMatchObject([{ status: 'done', value: entry?.value }])
})

test('a sleep until a moment in the past is over at once', async () => {
  const stage = openStage({ engines: work(ctx => ctx.sleep(new Date(0)).then(() => ctx.attempt)) })
  expect(await stage.outcome(await stage.start())).toEqual({ status: 'completed', value: 1 })
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('a sleep of %d is refused', async duration => {
  const stage = openStage({ engines: work(ctx => ctx.sleep(duration)) })
  expect(await stage.outcome(await stage.start())).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('ctx.sleep'),
  })
})

test('no attempt parks while a step is in flight', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      const napped = ctx.sleep(1_500)
      // Longer than the grace: only the step in flight keeps the attempt from parking.
      await ctx.step('long', () => new Promise(resolve => setTimeout(resolve, 120)))
      const attemptAfterStep = ctx.attempt
      await napped
      return [attemptAfterStep, ctx.attempt]
    }),
  })
  const id = await stage.start()
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: [2, 2] })
  const step = (await stage.registry.journal(id)).find(entry => entry.kind === 'step')
  const [parked] = await stage.events(id, 'process.waiting')
  expect(parked?.occurredAtMs).toBeGreaterThanOrEqual(step?.endedAtMs ?? Number.POSITIVE_INFINITY)
})

test('parallel sleeps park once, and wake for the earliest', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      const order: string[] = []
      const nap = async (key: string, ms: number) => {
        await ctx.sleep(ms, { key })
        order.push(key)
      }
      await Promise.all([nap('late', 1_200), nap('early', 800)])
      return order
    }),
  })
  const id = await stage.start()
  const first = await stage.runner.run(id)
  expect((await stage.record(id)).waits).toHaveLength(2)
  const earliest = Math.min(...(await stage.record(id)).waits.map(wait => wait.untilMs ?? 0))
  expect(first).toEqual({ type: 'parked', untilMs: earliest })
  expect(await stage.outcome(id)).toMatchObject({ value: ['early', 'late'] })
})

test('an owner-bound process sleeps in memory: it never parks', async () => {
  const stage = openStage({ engines: work(ctx => ctx.sleep(150).then(() => ctx.attempt), 'owner_bound') })
  const id = await stage.start()
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 1 })
  expect(await stage.events(id, 'process.waiting')).toEqual([])
})

test('a cancel wakes a sleeper', async () => {
  const stage = openStage({ parkGraceMs: 60_000, engines: work(ctx => ctx.sleep(50_000)) })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(async () => (await stage.registry.journal(id)).length === 1)
  await stage.registry.requestCancel(id, 'wake up')
  expect(await running).toEqual({ type: 'done', status: 'cancelled' })
})

test('a cancel that is recorded before the park is written keeps the attempt running, to end it', async () => {
  const stage = openStage({ engines: work(ctx => ctx.sleep(50_000)) })
  const id = await stage.start()
  await Promise.all([stage.runner.run(id), stage.registry.requestCancel(id, 'in between')])
  expect(await stage.outcome(id)).toMatchObject({ status: 'cancelled', message: 'in between' })
})

test('many sleeps in a row come to one attempt for each', async () => {
  const stage = openStage({
    parkGraceMs: 5,
    engines: work(async ctx => {
      for (let i = 0; i < 5; i++) await ctx.sleep(300)
      return ctx.attempt
    }),
  })
  expect(await stage.outcome(await stage.start())).toEqual({ status: 'completed', value: 6 })
})

test.each([-600_000, 600_000])(
  'a sleep is told by the registry’s clock, not by that of a host that is %i ms away from it (H20)',
  async awayMs => {
    const clock = createManualClock(Date.now() + awayMs)
    const store = createMemoryStore({ clock: clock.now })
    const stage = openStage({
      store,
      parkGraceMs: 1,
      engines: work(ctx => ctx.sleep(3_600_000).then(() => ctx.now())),
    })
    const id = await stage.start()
    const answer = await stage.runner.run(id)
    const untilMs = Number(Reflect.get(answer, 'untilMs'))
    // Within what the first answer of the store took.
    expect(Math.abs(untilMs - clock.now() - 3_600_000)).toBeLessThan(60_000)
    clock.advance(untilMs - clock.now())
    const outcome = await stage.outcome(id)
    expect(outcome).toMatchObject({ status: 'completed' })
    expect(Math.abs(Number(Reflect.get(outcome, 'value')) - clock.now())).toBeLessThan(60_000)
  },
)
