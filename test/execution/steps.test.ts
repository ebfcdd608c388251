import { expect, test } from 'vitest'
import { StepNotDone } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, work } from './stage.ts'

test('a step that the journal knows is not run again, and its value is the same', async () => {
  const gate = createGate()
  let runs = 0
  const stage = openStage({
    engines: work(async ctx => {
      const value = await ctx.step('draw', () => ({ run: ++runs, at: [1, null, 'x'] }))
      if (ctx.attempt === 1) await gate.pass()
      return value
    }),
  })
  const id = await stage.start()
  expect(await replay(stage, id, () => eventually(() => gate.arrivals === 1))).toEqual({
    status: 'completed',
    value: { run: 1, at: [1, null, 'x'] },
  })
  expect(runs).toBe(1)
})

test('a live step returns the value as the journal holds it', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      const live = await ctx.step('live', () => ({ kept: 1, dropped: undefined, zero: -0 }))
      return Object.keys(live)
    }),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ value: ['kept', 'zero'] })
})

test('a step without a value is null, live and replayed', async () => {
  const gate = createGate()
  const seen: unknown[] = []
  const stage = openStage({
    engines: work(async ctx => {
      seen.push(await ctx.step('nothing', () => {}))
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  const id = await stage.start()
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  expect(seen).toEqual([null, null])
})

test.each<[string, () => unknown]>([
  ['a function', () => () => 1],
  ['NaN', () => Number.NaN],
  ['a BigInt', () => 1n],
  ['a Map', () => new Map([[1, 2]])],
  ['a value inside', () => ({ list: [1, Symbol('x')] })],
])('%s as a step value is step_value_invalid', async (_, value) => {
  const stage = openStage({ engines: work(ctx => ctx.step('bad', value)) })
  expect(await stage.outcome(await stage.start())).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('JSON cannot carry'),
  })
})

test('a final failure is journaled, and thrown again at each replay without running the step', async () => {
  const gate = createGate()
  const caught: unknown[] = []
  let runs = 0
  const stage = openStage({
    engines: work(async ctx => {
      await ctx
        .step('fails', () => {
          runs++
          throw Object.assign(new TypeError('no such thing'), { code: 'ENOTHING' })
        })
        .catch(error => caught.push({ message: error.message, code: error.code, details: error.details }))
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  const id = await stage.start()
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  const failure = {
    message: 'no such thing',
    code: 'step_failed',
    details: { step: 'fails#1', errorName: 'TypeError', errorCode: 'ENOTHING' },
  }
  expect(caught).toEqual([failure, failure])
  expect(runs).toBe(1)
})

test('a step is tried as often as its policy says, and its last error stands', async () => {
  let runs = 0
  const stage = openStage({
    engines: work(ctx =>
      ctx.step(
        'flaky',
        () => {
          throw new Error(`try ${++runs}`)
        },
        { retry: { attempts: 3, delayMs: 1 } },
      ),
    ),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ status: 'failed', message: 'try 3' })
})

test('a step that succeeds at a later try is done', async () => {
  let runs = 0
  const stage = openStage({
    engines: work(ctx =>
      ctx.step(
        'flaky',
        () => {
          if (++runs < 3) throw new Error('not yet')
          return runs
        },
        { retry: { attempts: 5, delayMs: 1 } },
      ),
    ),
  })
  expect(await stage.outcome(await stage.start())).toEqual({ status: 'completed', value: 3 })
})

test('a step that takes longer than its limit fails, and its signal says so', async () => {
  const reasons: unknown[] = []
  const stage = openStage({
    engines: work(ctx =>
      ctx.step(
        'slow',
        ({ signal }) =>
          new Promise(() => {
            signal.addEventListener('abort', () => reasons.push(signal.reason.code))
          }),
        { timeout: 20 },
      ),
    ),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('20 ms'),
  })
  expect(reasons).toEqual(['step_timed_out'])
})

test('steps of one name are told apart by their occurrence, one after the other', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      const values = []
      for (let i = 0; i < 3; i++) values.push(await ctx.step('same', () => i))
      return values
    }),
  })
  const id = await stage.start()
  expect(await stage.outcome(id)).toMatchObject({ value: [0, 1, 2] })
  expect((await stage.registry.journal(id)).map(entry => entry.address)).toEqual([
    'same#1',
    'same#2',
    'same#3',
  ])
})

test('two steps of one name without a key may not be in flight together', async () => {
  const stage = openStage({
    engines: work(ctx => Promise.all([1, 2].map(n => ctx.step('same', async () => n)))),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({
    status: 'failed',
    code: 'step_key_required',
  })
})

test('with keys of their own they may', async () => {
  const stage = openStage({
    engines: work(ctx => Promise.all([1, 2].map(n => ctx.step('same', async () => n, { key: `n${n}` })))),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ value: [1, 2] })
})

test('a key is used once in an attempt', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      await ctx.step('same', () => 1, { key: 'k' })
      await ctx.step('same', () => 2, { key: 'k' })
    }),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'step_key_required' })
})

test.each(['', ' ', 'a[b', 'a]b', 'a#1', 'a\u0000b', 'x'.repeat(201)])(
  '%j is no name for a step',
  async name => {
    const stage = openStage({ engines: work(ctx => ctx.step(name, () => 1)) })
    expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'step_name_invalid' })
  },
)

test('a step whose declared input differs from the journaled one is step_diverged, naming it', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await ctx.step('read', () => 1, { input: { page: ctx.attempt } })
      await gate.pass()
    }),
  })
  const id = await stage.start()
  expect(await replay(stage, id, () => eventually(() => gate.arrivals === 1))).toMatchObject({
    status: 'failed',
    code: 'process_recovery_failed',
    message: expect.stringContaining('read#1'),
    raw: { code: 'step_diverged' },
  })
  gate.open()
})

test('code that returns without visiting a journaled once step is step_diverged', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      if (ctx.attempt > 1) return 'another way'
      await ctx.step('charge', () => 1, { effect: 'once' })
      await gate.pass()
    }),
  })
  const id = await stage.start()
  expect(await replay(stage, id, () => eventually(() => gate.arrivals === 1))).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('charge#1'),
    raw: { code: 'step_diverged' },
  })
})

test('a repeatable step that is not visited again is nobody’s concern', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      if (ctx.attempt > 1) return 'another way'
      await ctx.step('look', () => 1)
      await gate.pass()
    }),
  })
  const id = await stage.start()
  expect(await replay(stage, id, () => eventually(() => gate.arrivals === 1))).toMatchObject({
    value: 'another way',
  })
})

test('a step inside a step is refused, naming both', async () => {
  const stage = openStage({
    engines: work(ctx => ctx.step('outer', () => ctx.step('inner', () => 1).catch(error => error.message))),
  })
  const outcome = await stage.outcome(await stage.start())
  expect(outcome).toMatchObject({ value: expect.stringMatching(/inner.*outer/) })
})

test('an operation id is the same at every try and attempt, and another one for another step', async () => {
  const gate = createGate()
  const ids: string[] = []
  const stage = openStage({
    engines: work(async ctx => {
      await ctx.step(
        'a',
        ({ operationId }) => {
          ids.push(operationId)
          if (ids.length === 1) throw new StepNotDone('again')
          // The first attempt ends here, so the second one runs the step anew.
          return ctx.attempt === 1 ? gate.pass() : undefined
        },
        { retry: { attempts: 2, delayMs: 1 } },
      )
      await ctx.step('b', ({ operationId }) => void ids.push(operationId))
    }),
  })
  const id = await stage.start()
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  const [first, second, third, other] = ids
  expect([second, third]).toEqual([first, first])
  expect(other).toMatch(/^op_[0-9a-f]{40}$/)
  expect(other).not.toBe(first)
})

test('a journal entry that is too large fails its step, and the process goes on', async () => {
  const stage = openStage({
    engines: work(ctx => ctx.step('huge', () => 'x'.repeat(17 * 1024 * 1024)).catch(error => error.code)),
  })
  expect(await stage.outcome(await stage.start())).toEqual({
    status: 'completed',
    value: 'payload_too_large',
  })
})

test('a limit that is longer than a timer can hold does not end the step at once', async () => {
  const stage = openStage({
    engines: work(ctx =>
      ctx.step('long', () => new Promise(resolve => setTimeout(() => resolve('done'), 50)), {
        timeout: 30 * 24 * 3_600_000,
      }),
    ),
  })
  expect(await stage.outcome(await stage.start())).toEqual({ status: 'completed', value: 'done' })
})
