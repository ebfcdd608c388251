import { expect, test } from 'vitest'
import { StepNotDone, type StepOptions } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { createFaultyStore } from './faulty-store.ts'
import { openStage, replay, type Stage, work } from './stage.ts'

/** A once step that is in the middle of its effect when its attempt loses its lease. */
function interrupted(options: StepOptions<string>) {
  const gate = createGate()
  const effects: string[] = []
  const stage = openStage({
    engines: work(ctx =>
      ctx.step(
        'charge',
        async ({ operationId }) => {
          effects.push(operationId)
          if (ctx.attempt === 1) await gate.pass()
          return `charged at attempt ${ctx.attempt}`
        },
        { effect: 'once', ...options },
      ),
    ),
  })
  return { stage, effects, atGate: () => eventually(() => gate.arrivals === 1) }
}

const failing = (
  error: () => unknown,
  options: StepOptions<unknown> = {},
): { stage: Stage; runs: number[] } => {
  const runs: number[] = []
  const stage = openStage({
    engines: work(ctx =>
      ctx.step(
        'charge',
        () => {
          runs.push(ctx.attempt)
          throw error()
        },
        { effect: 'once', ...options },
      ),
    ),
  })
  return { stage, runs }
}

test('a once step stands in the journal as claimed before it runs', async () => {
  const gate = createGate()
  const stage = openStage({ engines: work(ctx => ctx.step('charge', () => gate.pass(), { effect: 'once' })) })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  expect(await stage.registry.journal(id)).toMatchObject([
    {
      status: 'claimed',
      claimedBy: { incarnationId: stage.identity.incarnationId },
      startByMs: expect.any(Number),
    },
  ])
  gate.open()
  await running
  expect(await stage.registry.journal(id)).toMatchObject([{ status: 'done', address: 'charge#1' }])
})

test('an interrupted once step is an unknown outcome: it fails, and is not run again', async () => {
  const { stage, effects, atGate } = interrupted({})
  const id = await stage.start()
  expect(await replay(stage, id, atGate)).toMatchObject({
    status: 'failed',
    code: 'step_unknown',
    raw: { unknownEffects: [{ step: 'charge#1', operationId: effects[0] }] },
  })
  expect(effects).toHaveLength(1)
})

test('what onUnknown found done is journaled, and is the value of the step', async () => {
  const asked: string[] = []
  const { stage, effects, atGate } = interrupted({
    onUnknown: async operationId => {
      asked.push(operationId)
      return { done: 'found it' }
    },
  })
  const id = await stage.start()
  expect(await replay(stage, id, atGate)).toEqual({ status: 'completed', value: 'found it' })
  expect(asked).toEqual(effects)
  expect(await stage.registry.journal(id)).toMatchObject([
    { status: 'done', value: 'found it', resolution: { kind: 'reconcile', answer: 'done' } },
  ])
})

test('what onUnknown found not done is run again only when its claimer can no longer begin', async () => {
  const answered: number[] = []
  const { stage, effects, atGate } = interrupted({
    timeout: 400,
    onUnknown: async () => {
      answered.push(Date.now())
      return 'not_done'
    },
  })
  const id = await stage.start()
  let startByMs = 0
  const outcome = await replay(stage, id, async () => {
    await atGate()
    const [entry] = await stage.registry.journal(id)
    startByMs = entry?.startByMs ?? 0
  })
  expect(outcome).toEqual({ status: 'completed', value: 'charged at attempt 2' })
  expect(effects).toHaveLength(2)
  const [again] = await stage.registry.journal(id)
  // This OS process lives, so nobody could prove the claimer dead: the last moment to begin had to pass.
  expect(again?.endedAtMs).toBeGreaterThanOrEqual(startByMs)
  expect(answered).toHaveLength(1)
})

test('an onUnknown that throws leaves the outcome unknown', async () => {
  const { stage, effects, atGate } = interrupted({
    onUnknown: async () => {
      throw new Error('the bank does not answer')
    },
  })
  const id = await stage.start()
  expect(await replay(stage, id, atGate)).toMatchObject({ status: 'failed', code: 'step_unknown' })
  expect(effects).toHaveLength(1)
})

test('an onUnknown whose answer JSON cannot carry is step_value_invalid', async () => {
  const { stage, runs } = failing(() => new Error('?'), { onUnknown: async () => ({ done: 1n }) })
  expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'step_value_invalid' })
  expect(runs).toEqual([1])
})

test('a once step that throws is unknown, whatever its retry policy says', async () => {
  const { stage, runs } = failing(() => new Error('connection reset'), { retry: { attempts: 5, delayMs: 1 } })
  const outcome = await stage.outcome(await stage.start())
  expect(outcome).toMatchObject({
    code: 'step_unknown',
    message: expect.stringContaining('connection reset'),
  })
  expect(runs).toEqual([1])
})

test('a once step that times out is unknown', async () => {
  const stage = openStage({
    engines: work(ctx => ctx.step('charge', () => new Promise(() => {}), { effect: 'once', timeout: 10 })),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'step_unknown' })
})

test('a once step that says that it was not done is tried again, and then fails as usual', async () => {
  const { stage, runs } = failing(() => new StepNotDone('refused'), { retry: { attempts: 3, delayMs: 1 } })
  const id = await stage.start()
  expect(await stage.outcome(id)).toMatchObject({ code: 'step_failed', message: 'refused' })
  expect(runs).toHaveLength(3)
  expect(await stage.registry.journal(id)).toMatchObject([{ status: 'failed' }])
})

test('isNotDone says the same of errors that others throw', async () => {
  const { stage, runs } = failing(() => Object.assign(new Error('refused'), { status: 402 }), {
    isNotDone: error => error instanceof Error && 'status' in error && error.status === 402,
    retry: { attempts: 2, delayMs: 1 },
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'step_failed' })
  expect(runs).toHaveLength(2)
})

test('a failed once step stays failed at a replay', async () => {
  const gate = createGate()
  let runs = 0
  const stage = openStage({
    engines: work(async ctx => {
      const code = await ctx
        .step(
          'charge',
          () => {
            runs++
            throw new StepNotDone('refused')
          },
          { effect: 'once' },
        )
        .catch(error => error.code)
      if (ctx.attempt === 1) await gate.pass()
      return code
    }),
  })
  const id = await stage.start()
  const outcome = await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  expect(outcome).toEqual({ status: 'completed', value: 'step_failed' })
  expect(runs).toBe(1)
})

test('a process cancelled in the middle of a once step lists the effect that nobody can vouch for', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(ctx => ctx.step('charge', ({ signal }) => gate.pass(signal), { effect: 'once' })),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await stage.registry.requestCancel(id, 'stop')
  await running
  expect((await stage.record(id)).outcome).toMatchObject({
    status: 'cancelled',
    message: 'stop',
    raw: { unknownEffects: [{ step: 'charge#1' }] },
  })
})

test('a claim whose last moment to begin passed before it could is made anew, and the effect happens once', async () => {
  const store = createFaultyStore()
  let effects = 0
  const stage = openStage({
    store,
    engines: work(async ctx => {
      store.delayTransaction({ ms: 60 })
      return ctx.step('charge', () => ++effects, { effect: 'once', timeout: 30 })
    }),
  })
  const id = await stage.start()
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 1 })
  const [entry] = await stage.registry.journal(id)
  const { startedAtMs = 0, endedAtMs = 0 } = entry ?? {}
  expect(endedAtMs - startedAtMs).toBeGreaterThanOrEqual(55)
})
