import { expect, test } from 'vitest'
import type { ProcessContext } from '../../src/index.ts'
import type { EngineTable } from '../../src/runtime/host.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { createFaultyStore } from './faulty-store.ts'
import { openStage, replay } from './stage.ts'

/** `watcher` waits for the process that its input names; `watched` returns its input and tells a note before. */
const engines = (
  watch: (ctx: ProcessContext<string>) => unknown,
  watched: (ctx: ProcessContext) => unknown = async ctx => {
    await ctx.emit('note', 'first')
    return ctx.input
  },
): EngineTable => ({
  watcher: { disposition: 'rerunnable', run: watch },
  work: { disposition: 'rerunnable', events: { note: true }, run: watched },
})

test('the outcome of a process that has ended is there at once', async () => {
  const stage = openStage({ engines: engines(ctx => ctx.outcomeOf(ctx.input)) })
  const watched = await stage.start({ input: 7 })
  await stage.outcome(watched)
  const outcome = await stage.outcome(await stage.start({ kind: 'watcher', input: watched }))
  expect(outcome).toEqual({ status: 'completed', value: { status: 'completed', value: 7 } })
})

test('a process parked for another’s end is due when that ends', async () => {
  const stage = openStage({ engines: engines(async ctx => [await ctx.outcomeOf(ctx.input), ctx.attempt]) })
  const watched = await stage.start({ input: 7 })
  const watcher = await stage.start({ kind: 'watcher', input: watched })
  expect(await stage.runner.run(watcher)).toEqual({ type: 'parked' })
  expect((await stage.record(watcher)).waits).toMatchObject([{ on: { type: 'process', processId: watched } }])
  await stage.outcome(watched)
  expect((await stage.registry.dueProcesses(10)).map(({ record }) => record.id)).toEqual([watcher])
  expect(await stage.outcome(watcher)).toMatchObject({ value: [{ value: 7 }, 2] })
})

test('a process that waits in memory hears of the end in the same attempt', async () => {
  const gate = createGate()
  const stage = openStage({
    parkGraceMs: 60_000,
    engines: engines(
      async ctx => [await ctx.outcomeOf(ctx.input), ctx.attempt],
      () => gate.pass(),
    ),
  })
  const watched = await stage.start()
  const watcher = await stage.start({ kind: 'watcher', input: watched })
  const running = [stage.runner.run(watched), stage.runner.run(watcher)]
  await eventually(async () => (await stage.registry.journal(watcher)).length === 1)
  gate.open()
  await Promise.all(running)
  expect((await stage.record(watcher)).outcome).toMatchObject({ value: [{ status: 'completed' }, 1] })
})

test('a wait for an end that takes too long is over, and may be made again', async () => {
  const stage = openStage({
    parkGraceMs: 60_000,
    engines: engines(async ctx => [
      (await ctx.outcomeOf(ctx.input, { timeout: 20 })) ?? 'none',
      (await ctx.outcomeOf(ctx.input, { timeout: 20 })) ?? 'none',
    ]),
  })
  const watcher = await stage.start({ kind: 'watcher', input: await stage.start() })
  expect(await stage.outcome(watcher)).toEqual({ status: 'completed', value: ['none', 'none'] })
})

test('many ends are waited for at once without keys, and a replay gives the same', async () => {
  const gate = createGate()
  const seen: unknown[] = []
  const stage = openStage({
    engines: engines(async ctx => {
      const ids = ctx.input.split(' ')
      const outcomes = await Promise.all([...ids, ...ids].map(id => ctx.outcomeOf(id)))
      seen.push(outcomes.map(outcome => outcome.status === 'completed' && outcome.value))
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  const ids = await Promise.all([1, 2, 3].map(input => stage.start({ input })))
  for (const id of ids) await stage.outcome(id)
  const watcher = await stage.start({ kind: 'watcher', input: ids.join(' ') })
  await replay(stage, watcher, () => eventually(() => gate.arrivals === 1))
  expect(seen).toEqual(Array(2).fill([1, 2, 3, 1, 2, 3]))
})

test('nobody waits for a process that is not there: it fails, and fails again at the replay', async () => {
  const gate = createGate()
  const seen: string[] = []
  const stage = openStage({
    engines: engines(async ctx => {
      for (const wait of [ctx.outcomeOf(ctx.input), ctx.waitForEvent(ctx.input, 'note')]) {
        seen.push(await wait.then(String, error => `${error.code} ${error.details.errorCode}`))
      }
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  const watcher = await stage.start({ kind: 'watcher', input: 'later' })
  await replay(stage, watcher, async () => {
    await eventually(() => gate.arrivals === 1)
    await stage.start({ id: 'later' })
  })
  expect(seen).toEqual(Array(4).fill('step_failed process_unknown'))
})

test('of a process that was pruned it is told how it ended and when, and so again at the replay', async () => {
  const gate = createGate()
  const seen: unknown[] = []
  const stage = openStage({
    engines: engines(async ctx => {
      await ctx.outcomeOf(ctx.input).catch(error => seen.push(error.details))
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  const pruned = await stage.start()
  await stage.outcome(pruned)
  await stage.registry.prune({ before: Date.now() + 60_000 })
  const prunedAtMs = (await stage.registry.tombstone(pruned))?.prunedAtMs
  const watcher = await stage.start({ kind: 'watcher', input: pruned })
  await replay(stage, watcher, () => eventually(() => gate.arrivals === 1))
  const told = { errorCode: 'process_no_longer_retained', status: 'completed', prunedAtMs }
  expect(seen).toMatchObject([told, told])
})

test('an event that is there already is the answer, never one at or before the cursor (§6 #136)', async () => {
  const stage = openStage({
    engines: engines(
      async ctx => {
        const first = await ctx.waitForEvent(ctx.input, 'note')
        const second = await ctx.waitForEvent(ctx.input, 'note', { after: first.sequence })
        return [first.payload, second.payload]
      },
      async ctx => {
        for (const text of ['first', 'second']) await ctx.emit('note', text)
      },
    ),
  })
  const watched = await stage.start()
  await stage.outcome(watched)
  const watcher = await stage.start({ kind: 'watcher', input: watched })
  expect(await stage.outcome(watcher)).toEqual({ status: 'completed', value: ['first', 'second'] })
})

test('a process parked for an event is due when it comes; one that never comes is over in time', async () => {
  const stage = openStage({
    engines: engines(async ctx => {
      const note = await ctx.waitForEvent(ctx.input, 'note')
      const other = await ctx.waitForEvent(ctx.input, 'note', { after: note.sequence, timeout: 5 })
      return [note.payload, other ?? 'none', ctx.attempt]
    }),
  })
  const watched = await stage.start()
  const watcher = await stage.start({ kind: 'watcher', input: watched })
  expect(await stage.runner.run(watcher)).toEqual({ type: 'parked' })
  await stage.outcome(watched)
  expect((await stage.registry.dueProcesses(10)).map(({ record }) => record.id)).toEqual([watcher])
  expect(await stage.outcome(watcher)).toMatchObject({ value: ['first', 'none', 2] })
})

test('another process’s event that comes after the time is not the answer', async () => {
  const stage = openStage({
    engines: engines(async ctx => (await ctx.waitForEvent(ctx.input, 'note', { timeout: 120 })) ?? 'none'),
  })
  const watched = await stage.start()
  const watcher = await stage.start({ kind: 'watcher', input: watched })
  const parked = await stage.runner.run(watcher)
  await eventually(() => Date.now() > (parked.type === 'parked' ? (parked.untilMs ?? 0) : 0))
  await stage.outcome(watched)
  expect(await stage.outcome(watcher)).toEqual({ status: 'completed', value: 'none' })
})

test('a wait for another process than the journaled one is step_diverged', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: engines(async ctx => {
      await ctx.outcomeOf(ctx.attempt === 1 ? ctx.input : 'another', { key: 'k' })
      await gate.pass()
    }),
  })
  const watched = await stage.start()
  await stage.outcome(watched)
  const watcher = await stage.start({ kind: 'watcher', input: watched })
  const outcome = await replay(stage, watcher, () => eventually(() => gate.arrivals === 1))
  expect(outcome).toMatchObject({ code: 'process_recovery_failed', raw: { code: 'step_diverged' } })
})

test('a store that cannot be read for a while only makes a wait longer', async () => {
  const gate = createGate()
  const store = createFaultyStore()
  const stage = openStage({
    store,
    parkGraceMs: 60_000,
    engines: engines(
      async ctx => [await ctx.outcomeOf(ctx.input), ctx.attempt],
      () => gate.pass(),
    ),
  })
  const watched = await stage.start()
  const watcher = await stage.start({ kind: 'watcher', input: watched })
  const running = [stage.runner.run(watched), stage.runner.run(watcher)]
  await eventually(async () => (await stage.registry.journal(watcher)).length === 1)
  store.failReads({ after: 0, count: 3 })
  stage.registry.hub.notify(watched)
  gate.open()
  await Promise.all(running)
  expect((await stage.record(watcher)).outcome).toMatchObject({ value: [{ status: 'completed' }, 1] })
})

test('what a parked process’s code left open listens no more', async () => {
  const stage = openStage({ engines: engines(ctx => ctx.outcomeOf(ctx.input)) })
  const watcher = await stage.start({ kind: 'watcher', input: await stage.start() })
  expect(await stage.runner.run(watcher)).toEqual({ type: 'parked' })
  await eventually(() => stage.registry.hub.size === 0)
})
