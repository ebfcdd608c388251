import { expect, test } from 'vitest'
import { type ProcessContext, type StreamEntry, StreamView, type StreamWriter } from '../../src/index.ts'
import { errorWith } from '../model/fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type Stage, supersede, work } from './stage.ts'

const entries = async (stage: Stage, id: string, channel = 'text'): Promise<readonly StreamEntry[]> =>
  (await stage.registry.readStream(id, channel, 0)).entries

const standing = async (stage: Stage, id: string, channel = 'text'): Promise<string> => {
  const view = new StreamView()
  for (const entry of await entries(stage, id, channel)) view.apply(entry)
  return view.deltas.map(({ data }) => data).join('')
}

const resets = async (stage: Stage, id: string): Promise<readonly StreamEntry[]> =>
  (await entries(stage, id)).filter(({ type }) => type === 'attempt_reset')

async function say(ctx: ProcessContext, ...words: readonly string[]): Promise<void> {
  for (const word of words) await ctx.stream('text').write(word)
}

test('what was said is there in order, in and outside steps, when the process has ended', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      await say(ctx, 'a', 'b')
      await ctx.step('more', () => say(ctx, 'c', 'd'))
      await ctx.stream('other').write({ n: 1 })
      await say(ctx, 'e')
    }),
  })
  const id = await stage.start()
  expect(await stage.outcome(id)).toMatchObject({ status: 'completed' })
  expect((await entries(stage, id)).map(entry => entry.type === 'delta' && entry.data)).toEqual([...'abcde'])
  expect(await entries(stage, id, 'other')).toMatchObject([{ offset: 0, data: { n: 1 } }])
  // Nothing of it is in the log.
  expect((await stage.events(id)).map(({ eventType }) => eventType)).not.toContain('text')
})

test('deltas that come together share a row', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      for (let n = 0; n < 1_000; n++) void ctx.stream('text').write(n)
      await ctx.stream('text').flush()
    }),
  })
  const id = await stage.start()
  await stage.outcome(id)
  expect((await entries(stage, id)).map(({ offset }) => offset)).toEqual(
    Array.from({ length: 1_000 }, (_, n) => n),
  )
  // With a row for each, they would be many pages.
  expect(await stage.registry.readStream(id, 'text', 0)).toMatchObject({ hasMore: false })
})

test('a reader hears of each delta while the process runs, and of its end', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await say(ctx, 'a')
      await gate.pass()
      await say(ctx, 'b')
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  const reader = stage.registry.followStream(id, 'text')[Symbol.asyncIterator]()
  expect(await reader.next()).toMatchObject({ value: { data: 'a' } })
  gate.open()
  expect(await reader.next()).toMatchObject({ value: { data: 'b' } })
  expect(await reader.next()).toMatchObject({ done: true })
  await running
})

test('a reader that goes away, or whose signal fires, does nothing to the process', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await say(ctx, 'a')
      await gate.pass()
      return ctx.signal.aborted
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  const aborting = new AbortController()
  for await (const _ of stage.registry.followStream(id, 'text')) break
  const reader = stage.registry.followStream(id, 'text', { from: 1, signal: aborting.signal })
  const next = reader[Symbol.asyncIterator]().next()
  aborting.abort(new Error('the tab was closed'))
  await expect(next).rejects.toThrow('the tab was closed')
  gate.open()
  await running
  expect(await stage.record(id)).toMatchObject({ outcome: { status: 'completed', value: false } })
})

test('code that is replayed says nothing twice, and what the failed attempt said instead is taken back', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await say(ctx, 'a', 'b')
      if (ctx.attempt === 1) {
        await say(ctx, 'x', 'y')
        await ctx.stream('text').flush()
        await gate.pass()
      }
      await say(ctx, 'c')
    }),
  })
  const id = await stage.start()
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  expect(await standing(stage, id)).toBe('abc')
  expect(await resets(stage, id)).toEqual([
    { type: 'attempt_reset', offset: 4, attempt: 2, retracted: [{ from: 2, to: 4 }] },
  ])
})

test('what the failed attempt said and the code does not say again is taken back at its end', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await say(ctx, 'a')
      if (ctx.attempt > 1) return
      await say(ctx, 'x')
      await ctx.stream('text').flush()
      await gate.pass()
    }),
  })
  const id = await stage.start()
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  expect(await standing(stage, id)).toBe('a')
})

test('a step that the journal knows keeps what it said; one that runs anew has it taken back before it begins', async () => {
  const gate = createGate()
  const seen: unknown[] = []
  const stage: Stage = openStage({
    engines: work(async ctx => {
      await ctx.step('first', () => say(ctx, 'first '))
      await ctx.step('second', async () => {
        if (ctx.attempt === 1) {
          await say(ctx, 'half')
          await ctx.stream('text').flush()
          await gate.pass()
        }
        seen.push((await stage.registry.readStream(ctx.id, 'text', 0)).entries.at(-1))
        await say(ctx, 'second')
      })
    }),
  })
  const id = await stage.start()
  await replay(stage, id, () => eventually(() => gate.arrivals === 1))
  expect(await standing(stage, id)).toBe('first second')
  expect(seen[0]).toMatchObject({ type: 'attempt_reset', attempt: 2, retracted: [{ from: 1, to: 2 }] })
})

test('a try of a step that fails takes back what it said', async () => {
  let tries = 0
  const stage = openStage({
    engines: work(ctx =>
      ctx.step(
        'flaky',
        async () => {
          await say(ctx, `try ${++tries}`)
          if (tries === 1) throw new Error('not yet')
        },
        { retry: { attempts: 2, delayMs: 1 } },
      ),
    ),
  })
  const id = await stage.start()
  await stage.outcome(id)
  expect(await standing(stage, id)).toBe('try 2')
  expect(await resets(stage, id)).toMatchObject([{ attempt: 1, retracted: [{ from: 0, to: 1 }] }])
})

test('a park takes nothing back, and leaves nothing unsaid', async () => {
  const stage = openStage({
    engines: {
      work: {
        disposition: 'rerunnable',
        events: { 'signal.go': true },
        run: async (ctx: ProcessContext) => {
          await say(ctx, 'a')
          await ctx.waitForSignal('go')
          await say(ctx, 'b')
        },
      },
    },
  })
  const id = await stage.start()
  expect(await stage.runner.run(id)).toMatchObject({ type: 'parked' })
  expect(await standing(stage, id)).toBe('a')
  await stage.registry.signal(id, 'go', null)
  await stage.outcome(id)
  expect(await standing(stage, id)).toBe('ab')
  expect(await resets(stage, id)).toEqual([])
})

test('a rollover leaves what was said before it', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      await say(ctx, ctx.state === undefined ? 'a' : 'b')
      return ctx.state === undefined ? ctx.rollover(1) : null
    }),
  })
  const id = await stage.start()
  await stage.outcome(id)
  expect(await standing(stage, id)).toBe('ab')
})

test('what a try says after its time limit is not written, and the next one stands alone', async () => {
  const gate = createGate()
  const late: unknown[] = []
  const stage = openStage({
    engines: work(ctx => {
      let tries = 0
      const tell = async () => {
        const tried = ++tries
        await say(ctx, `try ${tried} `)
        if (tried > 1) return
        await gate.pass()
        await say(ctx, 'late ').catch(error => late.push(error.code))
      }
      const told = ctx.step('tell', tell, { timeout: 200, retry: { attempts: 2, delayMs: 0 } })
      return told.then(async () => {
        gate.open()
        await eventually(() => late.length === 1)
      })
    }),
  })
  const id = await stage.start()
  expect(await stage.outcome(id)).toMatchObject({ status: 'completed' })
  expect(late).toEqual(['attempt_over'])
  expect(await standing(stage, id)).toBe('try 2 ')
})

test('an attempt that lost its lease can say nothing more', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await say(ctx, 'a')
      if (ctx.attempt > 1) return
      await ctx.stream('text').flush()
      await gate.pass()
      await say(ctx, 'from the grave')
      await ctx.stream('text').flush()
    }),
  })
  const id = await stage.start()
  const first = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await supersede(stage, stage)
  await stage.addWorker().runner.run(id)
  gate.open()
  await first
  expect(await standing(stage, id)).toBe('a')
})

test('a chunk stream can be piped into a channel', async () => {
  const stage = openStage({
    engines: work(ctx => ReadableStream.from(['a', 'b']).pipeTo(ctx.stream('text').writable())),
  })
  const id = await stage.start()
  await stage.outcome(id)
  expect(await standing(stage, id)).toBe('ab')
})

test.each<[string, (ctx: ProcessContext) => unknown]>([
  ['what JSON cannot carry', ctx => ctx.stream('text').write(new Map([[1, 2]]))],
  ['a channel without a name', ctx => ctx.stream('').write(1)],
])('%s is refused to the code', async (_, run) => {
  const stage = openStage({ engines: work(run) })
  expect(await stage.outcome(await stage.start())).toMatchObject({ status: 'failed', code: 'usage' })
})

test('a writer of an attempt that is over fails', async () => {
  let writer: StreamWriter | undefined
  const stage = openStage({
    engines: work(ctx => {
      writer = ctx.stream('text')
    }),
  })
  await stage.outcome(await stage.start())
  await expect(writer?.write('late')).rejects.toThrow(errorWith('attempt_over'))
  // And where nobody waits for it, nothing else fails: vitest fails the file for a rejection that nobody handles.
  void writer?.write('later')
})
