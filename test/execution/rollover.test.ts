import { expect, test } from 'vitest'
import type { ProcessContext } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type Stage, supersede, work } from './stage.ts'

const stateOf = (ctx: ProcessContext): number => (typeof ctx.state === 'number' ? ctx.state : 0)

/** Counts up to its input, and rolls over each time that so many have been counted. */
const counting = (every: number) =>
  work(async ctx => {
    let count = stateOf(ctx)
    for (let done = 0; done < every && count < Number(ctx.input); done++) {
      count = await ctx.step('count', () => count + 1)
      await ctx.emit('note', count)
    }
    return count < Number(ctx.input) ? ctx.rollover(count) : count
  })

const story = async (stage: Stage, id: string) =>
  (await stage.events(id)).map(({ eventType, payload }) => [
    eventType,
    eventType === 'process.first_started' ? null : payload,
  ])

test('a cut at every step gives the same outcome and log as none, in one attempt (§6 #205, #206)', async () => {
  const told = []
  for (const every of [1, 100]) {
    const stage = openStage({ engines: counting(every) })
    const id = await stage.start({ input: 7 })
    await stage.runner.run(id)
    told.push([(await stage.record(id)).outcome, await story(stage, id)])
    expect((await stage.record(id)).attempts).toBe(1)
  }
  expect(told[0]).toEqual(told[1])
  expect(told[0]?.[0]).toEqual({ status: 'completed', value: 7 })
})

test('the journal of an epoch holds nothing of the one before', async () => {
  const stage = openStage({ engines: counting(2) })
  const id = await stage.start({ input: 7 })
  await stage.outcome(id)
  const journal = await stage.registry.journal(id)
  expect(journal.map(entry => entry.address)).toEqual(['#state', 'count#1', 'note#1'])
  expect(new Set(journal.map(entry => entry.epoch))).toEqual(new Set([3]))
})

test('after a crash the epoch goes on where it was, and none before it is run again (§6 #209)', async () => {
  const gate = createGate()
  const ran: unknown[] = []
  const stage = openStage({
    engines: work(async ctx => {
      await ctx.step('count', () => ran.push([stateOf(ctx)]))
      if (stateOf(ctx) < 3) return ctx.rollover(stateOf(ctx) + 1)
      if (ctx.attempt === 1) await gate.pass()
      return ctx.state
    }),
  })
  const outcome = await replay(stage, await stage.start(), () => eventually(() => gate.arrivals === 1))
  expect(outcome).toEqual({ status: 'completed', value: 3 })
  expect(ran).toEqual([[0], [1], [2], [3]])
})

test('chance, operation ids, emitted events, waits and children are new in each epoch', async () => {
  const seen: string[][] = []
  const stage = openStage({
    engines: {
      ...work(async ctx => {
        const operation = await ctx.step('s', ({ operationId }) => operationId)
        const { sequence } = await ctx.emit('note', 'the same')
        const child = await ctx.start({ kind: 'child' })
        seen.push([ctx.uuid(), operation, String(sequence), child.id])
        return stateOf(ctx) === 0 ? ctx.rollover(1) : null
      }),
      child: { disposition: 'rerunnable', run: () => null },
    },
  })
  await stage.outcome(await stage.start({ id: 'p' }))
  const [first = [], second = []] = seen
  for (const [place, one] of first.entries()) expect(second[place]).not.toBe(one)
  expect([first[3], second[3]]).toEqual(['p.child.1', 'p.child.1.1'])
})

test('what one epoch left open is disposed of before the next begins', async () => {
  const told: string[] = []
  const stage = openStage({
    engines: work(async ctx => {
      const epoch = stateOf(ctx)
      told.push(`${epoch} begins`)
      ctx.defer(() => told.push(`${epoch} cleaned up`))
      return epoch < 2 ? ctx.rollover(epoch + 1) : null
    }),
  })
  await stage.outcome(await stage.start())
  expect(told).toEqual(['0 begins', '0 cleaned up', '1 begins', '1 cleaned up', '2 begins', '2 cleaned up'])
})

test('code of an epoch that is over can do nothing any more', async () => {
  const late: string[] = []
  let kept: ProcessContext | undefined
  const stage = openStage({
    engines: work(async ctx => {
      if (kept === undefined) {
        kept = ctx
        return ctx.rollover(1)
      }
      late.push(await kept.step('late', () => 1).then(String, error => error.code))
      return null
    }),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ status: 'completed' })
  expect(late).toEqual(['attempt_over'])
})

test('a cancel that is recorded before the rollover ends the process without another epoch (§6 #208)', async () => {
  const entered: number[] = []
  const stage = openStage({
    engines: work(async ctx => {
      entered.push(stateOf(ctx))
      await stage.registry.requestCancel(ctx.id, 'enough')
      return ctx.rollover(stateOf(ctx) + 1)
    }),
  })
  expect(await stage.outcome(await stage.start())).toEqual({ status: 'cancelled', message: 'enough' })
  expect(entered).toEqual([0])
})

test('a cancel reaches whatever epoch is running', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      if (stateOf(ctx) === 0) return ctx.rollover(1)
      return ctx.step('wait', () => gate.pass(ctx.signal))
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await stage.registry.requestCancel(id, 'enough')
  expect(await running).toEqual({ type: 'done', status: 'cancelled' })
})

test('a worker that stops gives the process back between two epochs', async () => {
  const stop = new AbortController()
  const stage = openStage({
    engines: work(async ctx => {
      if (stateOf(ctx) === 2 && ctx.attempt === 1) stop.abort()
      return stateOf(ctx) < 5 ? ctx.rollover(stateOf(ctx) + 1) : ctx.attempt
    }),
  })
  const id = await stage.start()
  expect(await stage.runner.run(id, { shutdown: stop.signal })).toEqual({ type: 'released' })
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 2 })
})

test('an attempt that has lost its lease does not roll over', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      if (ctx.attempt === 1) await gate.pass()
      return ctx.attempt === 1 ? ctx.rollover('lost') : (ctx.state ?? 'none')
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await supersede(stage, stage)
  const second = stage.addWorker().runner.run(id)
  gate.open()
  expect(await running).toMatchObject({ type: 'lost' })
  await second
  expect((await stage.record(id)).outcome).toEqual({ status: 'completed', value: 'none' })
})

test('a wait in a later epoch parks and comes back to that epoch', async () => {
  const stage = openStage({
    engines: {
      work: {
        disposition: 'rerunnable',
        events: { 'signal.go': true },
        run: async ctx => {
          const { payload } = await ctx.waitForSignal('go')
          return stateOf(ctx) < 2 ? ctx.rollover(stateOf(ctx) + 1) : payload
        },
      },
    },
  })
  const id = await stage.start()
  for (const payload of ['a', 'b', 'c']) {
    expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
    await stage.registry.signal(id, 'go', payload)
  }
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 'c' })
  const keys = (await stage.events(id, 'process.waiting')).map(({ payload }) =>
    Reflect.get(Object(payload), 'key'),
  )
  expect(keys).toEqual([1, '1:1', '2:1'].map(nth => `process:${id}:signal.go:${nth}`))
})

test('a once step that the epoch did not visit is step_diverged, as at any other end', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      if (ctx.attempt === 1) {
        await ctx.step('pay', () => 'paid', { effect: 'once' })
        await gate.pass()
      }
      return ctx.rollover(1)
    }),
  })
  const outcome = await replay(stage, await stage.start(), () => eventually(() => gate.arrivals === 1))
  expect(outcome).toMatchObject({ code: 'process_recovery_failed', raw: { code: 'step_diverged' } })
})

test.each([
  {
    what: 'an owner-bound process',
    code: 'process_rollover_refused',
    state: 1,
    request: { disposition: 'owner_bound' },
  },
  { what: 'a state that is not JSON', code: 'process_output_invalid', state: new Map() },
  { what: 'a state that is too large', code: 'payload_too_large', state: 'x'.repeat(17 * 1024 * 1024) },
] as const)('$what does not roll over: $code', async ({ state, code, ...rest }) => {
  const stage = openStage({ engines: work(ctx => Reflect.apply(ctx.rollover, ctx, [state])) })
  const id = await stage.start('request' in rest ? rest.request : {})
  expect(await stage.outcome(id)).toMatchObject({ status: 'failed', code })
})
