import { describe, expect, test } from 'vitest'
import type { StepOptions } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, supersede, work } from './stage.ts'

const BY = { by: 'ana' }

/** A once step that throws at its first try, and whose process then waits for a word on it. */
function asking(disposition: 'rerunnable' | 'owner_bound' = 'rerunnable') {
  const tries: number[] = []
  const stage = openStage({
    engines: work(
      ctx =>
        ctx.step(
          'charge',
          () => {
            tries.push(ctx.attempt)
            if (tries.length === 1) throw new Error('connection reset')
            return 'charged'
          },
          { effect: 'once', onUnknown: 'ask' },
        ),
      disposition,
    ),
  })
  return { stage, tries }
}

describe('a step that asks what became of it', () => {
  test('parks its process until somebody says so, and goes on with the value', async () => {
    const { stage, tries } = asking()
    const id = await stage.start()
    expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
    expect((await stage.record(id)).waits).toMatchObject([{ on: { type: 'unknown_step', step: 'charge#1' } }])
    expect(await stage.registry.effects(id)).toMatchObject([
      { step: 'charge#1', state: 'unknown', failure: { message: 'connection reset' } },
    ])
    const { isDue } = await stage.registry.resolveStep(id, 'charge#1', { value: 'found it' }, BY)
    expect(isDue).toBe(true)
    expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 'found it' })
    expect(tries).toEqual([1])
  })

  test('runs again when it was not done, once, and the ledger says who said so', async () => {
    const { stage, tries } = asking()
    const id = await stage.start()
    await stage.runner.run(id)
    await stage.registry.resolveStep(id, 'charge#1', 'not_done', BY)
    expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 'charged' })
    expect(tries).toEqual([1, 2])
    expect(await stage.registry.effects(id)).toMatchObject([
      { state: 'done', resolution: { kind: 'by_hand', by: 'ana', answer: 'not_done' } },
    ])
  })

  test('asks anew where it was run again and is unknown again', async () => {
    let tries = 0
    const stage = openStage({
      engines: work(ctx =>
        ctx.step(
          'charge',
          () => {
            tries++
            throw new Error(`reset ${tries}`)
          },
          { effect: 'once', onUnknown: 'ask' },
        ),
      ),
    })
    const id = await stage.start()
    await stage.runner.run(id)
    await stage.registry.resolveStep(id, 'charge#1', 'not_done', BY)
    expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
    const [effect] = await stage.registry.effects(id)
    expect(effect).toMatchObject({ state: 'unknown', failure: { message: 'reset 2' } })
    expect(effect).not.toHaveProperty('resolution')
    await stage.registry.resolveStep(id, 'charge#1', { value: null }, BY)
    expect(await stage.outcome(id)).toEqual({ status: 'completed', value: null })
    expect(tries).toBe(2)
  })

  test('hears the word while it still waits here, without another attempt', async () => {
    const { stage, tries } = asking('owner_bound')
    const id = await stage.start()
    const running = stage.runner.run(id)
    await eventually(async () => {
      expect(await stage.registry.effects(id)).toMatchObject([{ state: 'unknown' }])
    })
    await stage.registry.resolveStep(id, 'charge#1', { value: 'found it' }, BY)
    expect(await running).toEqual({ type: 'done', status: 'completed' })
    expect([tries, (await stage.record(id)).attempts]).toEqual([[1], 1])
  })

  test('that was interrupted asks in the next attempt', async () => {
    const gate = createGate()
    const effects: string[] = []
    const stage = openStage({
      engines: work(ctx =>
        ctx.step(
          'charge',
          async ({ operationId }) => {
            effects.push(operationId)
            await gate.pass()
          },
          { effect: 'once', onUnknown: 'ask' },
        ),
      ),
    })
    const id = await stage.start()
    const first = stage.runner.run(id)
    await eventually(() => gate.arrivals === 1)
    await supersede(stage, stage)
    const { runner } = stage.addWorker()
    expect(await runner.run(id)).toEqual({ type: 'parked' })
    expect(await stage.registry.effects(id)).toMatchObject([{ state: 'unknown', operationId: effects[0] }])
    const deadWorker = stage.identity.incarnationId
    await stage.registry.resolveStep(id, 'charge#1', { value: 'found it' }, { ...BY, deadWorker })
    expect(await runner.run(id)).toEqual({ type: 'done', status: 'completed' })
    expect((await stage.record(id)).outcome).toMatchObject({ value: 'found it' })
    gate.open()
    await first
    expect(effects).toHaveLength(1)
  })

  test('is cancelled like any wait, and its effect is listed', async () => {
    const { stage } = asking()
    const id = await stage.start()
    expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
    await stage.registry.requestCancel(id, 'stop')
    expect(await stage.outcome(id)).toMatchObject({
      status: 'cancelled',
      message: 'stop',
      raw: { unknownEffects: [{ step: 'charge#1' }] },
    })
  })
})

describe('code that was told of an unknown outcome', () => {
  const told: { title: string; onUnknown: NonNullable<StepOptions<string>['onUnknown']> }[] = [
    { title: 'by default', onUnknown: 'fail' },
    {
      title: 'because its onUnknown threw',
      onUnknown: async () => {
        throw new Error('the bank does not answer')
      },
    },
  ]

  test.each(told)('$title is told so at every replay, whatever is found out later', async ({ onUnknown }) => {
    const gate = createGate()
    const stage = openStage({
      engines: work(async ctx => {
        const code = await ctx
          .step(
            'charge',
            () => {
              throw new Error('reset')
            },
            { effect: 'once', onUnknown },
          )
          .catch(error => error.code)
        await ctx.step('note it', () => null)
        if (ctx.attempt === 1) await gate.pass()
        return code
      }),
    })
    const id = await stage.start()
    const outcome = await replay(stage, id, async () => {
      await eventually(() => gate.arrivals === 1)
      await stage.registry.resolveStep(id, 'charge#1', { value: 'found it' }, BY)
    })
    expect(outcome).toEqual({ status: 'completed', value: 'step_unknown' })
    expect(await stage.registry.effects(id)).toMatchObject([
      { state: 'done', resolution: { kind: 'by_hand', by: 'ana' } },
    ])
  })

  test('is not told by an onUnknown that a shutdown stopped: the next attempt looks again', async () => {
    const gate = createGate()
    let looks = 0
    const stage = openStage({
      engines: work(ctx =>
        ctx.step(
          'charge',
          () => {
            throw new Error('reset')
          },
          {
            effect: 'once',
            onUnknown: async () => {
              if (++looks === 1) await gate.pass(ctx.signal)
              return { done: 'found it' }
            },
          },
        ),
      ),
    })
    const id = await stage.start()
    const shutdown = new AbortController()
    const first = stage.runner.run(id, { shutdown: shutdown.signal })
    await eventually(() => gate.arrivals === 1)
    shutdown.abort()
    expect(await first).toEqual({ type: 'released' })
    expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 'found it' })
    expect(looks).toBe(2)
  })
})
