import { expect, test } from 'vitest'
import type { ProcessContext } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, supersede, work } from './stage.ts'

/** Runs the code twice, the first time up to its end and no further, and gives what each attempt saw. */
async function twice(see: (ctx: ProcessContext) => unknown): Promise<unknown[]> {
  const gate = createGate()
  const seen: unknown[] = []
  const stage = openStage({
    engines: work(async ctx => {
      seen.push(await see(ctx))
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  await replay(stage, await stage.start(), () => eventually(() => gate.arrivals === 1))
  return seen
}

test('chance is the same at every attempt, and differs from draw to draw', async () => {
  const [first, second] = await twice(ctx => [ctx.random(), ctx.random(), ctx.uuid(), ctx.uuid()])
  expect(second).toEqual(first)
  expect(new Set(Array.isArray(first) ? first : []).size).toBe(4)
  expect(first).toEqual([
    expect.any(Number),
    expect.any(Number),
    ...Array(2).fill(
      expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    ),
  ])
})

test('two processes draw differently', async () => {
  const stage = openStage({ engines: work(ctx => ctx.uuid()) })
  const outcomes = await Promise.all(['p', 'q'].map(async id => stage.outcome(await stage.start({ id }))))
  expect(outcomes[0]).not.toEqual(outcomes[1])
})

test('now is the time of the first attempt, each call its own', async () => {
  const before = Date.now()
  const [first, second] = await twice(async ctx => {
    const begun = await ctx.now()
    // The clock has to move, or both calls could give the same millisecond.
    await ctx.step('work', () => new Promise(resolve => setTimeout(resolve, 5)))
    return [begun, await ctx.now()]
  })
  expect(second).toEqual(first)
  const [begun = 0, ended = 0] = Array.isArray(first) ? first : []
  expect(begun).toBeGreaterThanOrEqual(before)
  expect(ended).toBeGreaterThan(begun)
})

test('an emitted event is appended once, and a replay gets it back', async () => {
  const gate = createGate()
  const seen: number[] = []
  const stage = openStage({
    engines: work(async ctx => {
      for (const text of ['one', 'two']) seen.push((await ctx.emit('note', text)).sequence)
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  const id = await stage.start()
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  const notes = await stage.events(id, 'note')
  expect(notes.map(event => event.payload)).toEqual(['one', 'two'])
  const sequences = notes.map(event => event.sequence)
  expect(seen).toEqual([...sequences, ...sequences])
  expect((await stage.record(id)).lastSequence).toBe((await stage.events(id)).length)
})

test('what a step emits is there again when the step runs again, and only then', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await ctx.step('done', async () => void (await ctx.emit('note', 'from a done step')))
      await ctx.step('again', async () => {
        await ctx.emit('note', `one of attempt ${ctx.attempt}`)
        await ctx.emit('note', `two of attempt ${ctx.attempt}`)
        if (ctx.attempt === 1) await gate.pass()
      })
    }),
  })
  const id = await stage.start()
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  expect((await stage.events(id, 'note')).map(event => event.payload)).toEqual([
    'from a done step',
    'one of attempt 1',
    'two of attempt 1',
    'one of attempt 2',
    'two of attempt 2',
  ])
})

test('an event of a type that the kind does not declare is refused, and the code may go on', async () => {
  const stage = openStage({ engines: work(ctx => ctx.emit('undeclared', 1).catch(error => error.code)) })
  expect(await stage.outcome(await stage.start())).toMatchObject({ value: 'process_event_undeclared' })
})

test('an event whose payload does not fit its schema is refused', async () => {
  const stage = openStage({
    engines: {
      work: {
        disposition: 'rerunnable',
        events: { note: { type: 'string' } },
        run: (ctx: ProcessContext) => ctx.emit('note', 7).catch(error => error.code),
      },
    },
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ value: 'process_event_schema' })
})

const disposable = (name: string, log: string[]): Disposable => ({
  [Symbol.dispose]: () => void log.push(name),
})

/** Registers what is to be cleaned up, and ends in the way that the input says. */
function cleaning(log: string[]) {
  const gate = createGate()
  const stage = openStage({
    stopBoundMs: 1,
    engines: work(async ctx => {
      ctx.use(disposable('used first', log))
      ctx.defer(() => void log.push('deferred second'))
      ctx.use({ [Symbol.asyncDispose]: async () => void log.push('used third') })
      ctx.defer(() => {
        throw new Error('a failing one')
      })
      switch (ctx.input) {
        case 'value':
          return 1
        case 'error':
          throw new Error('failed')
        case 'park':
          return ctx.sleep(3_600_000)
        default:
          await gate.pass(ctx.signal)
      }
    }),
  })
  return { stage, atGate: () => eventually(() => gate.arrivals === 1) }
}

const REVERSED = ['used third', 'deferred second', 'used first']

test.each(['value', 'error', 'park'])('use and defer run in reverse at an end by %s', async input => {
  const log: string[] = []
  const { stage } = cleaning(log)
  await stage.runner.run(await stage.start({ input }))
  expect(log).toEqual(REVERSED)
})

test('use and defer run in reverse at an end by cancel', async () => {
  const log: string[] = []
  const { stage, atGate } = cleaning(log)
  const id = await stage.start()
  const running = stage.runner.run(id)
  await atGate()
  await stage.registry.requestCancel(id)
  await running
  expect(log).toEqual(REVERSED)
})

test('use and defer run in reverse at an end by a lost lease', async () => {
  const log: string[] = []
  const { stage, atGate } = cleaning(log)
  const running = stage.runner.run(await stage.start())
  await atGate()
  await supersede(stage, stage)
  expect(await running).toMatchObject({ type: 'lost' })
  expect(log).toEqual(REVERSED)
})

test('use and defer run in reverse at an end by shutdown', async () => {
  const log: string[] = []
  const { stage, atGate } = cleaning(log)
  const shutdown = new AbortController()
  const running = stage.runner.run(await stage.start(), { shutdown: shutdown.signal })
  await atGate()
  shutdown.abort()
  expect(await running).toMatchObject({ type: 'released' })
  expect(log).toEqual(REVERSED)
})

test('after the end every context call fails with attempt_over', async () => {
  const kept: ProcessContext[] = []
  const stage = openStage({ engines: work(ctx => void kept.push(ctx)) })
  await stage.outcome(await stage.start())
  const [ctx] = kept
  if (ctx === undefined) throw new Error('it ran')
  const calls = [
    () => ctx.step('late', () => 1),
    () => ctx.sleep(1),
    () => ctx.emit('note', 1),
    () => ctx.now(),
    async () => ctx.use(disposable('late', [])),
    async () => ctx.defer(() => {}),
  ]
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'attempt_over' })
})

test('a call that is not awaited does not outlive its attempt', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(ctx => {
      ctx.step('floating', () => gate.pass()).catch(() => {})
      return 'returned first'
    }),
  })
  const id = await stage.start()
  expect(await stage.outcome(id)).toMatchObject({ value: 'returned first' })
  gate.open()
  expect(await stage.registry.journal(id)).toEqual([])
})

test('the context says who it is, which attempt, and what was asked for', async () => {
  const stage = openStage({ engines: work(ctx => [ctx.id, ctx.attempt, ctx.input]) })
  const id = await stage.start({ id: 'me', input: { a: [1] } })
  expect(await stage.outcome(id)).toMatchObject({ value: ['me', 1, { a: [1] }] })
})

test('an event whose stored schema cannot be used fails for its code, which is not repeated for ever', async () => {
  const stage = openStage({ engines: work(ctx => ctx.emit('report', 1)) })
  const { envRef, ...registered } = await stage.record(await stage.start())
  const { input, disposition, provenance } = registered
  const eventTypes = [{ name: 'report', payloadSchema: { type: 'nmber' } }]
  const request = { id: 'old', input, disposition, provenance, eventTypes }
  await stage.registry.register({ ...request, ...(envRef === undefined ? {} : { envRef }) })
  expect(await stage.outcome('old')).toMatchObject({ status: 'failed', code: 'process_event_schema' })
})
