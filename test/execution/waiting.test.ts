import { expect, test } from 'vitest'
import { ChangeHub } from '../../src/registry/change-hub.ts'
import { collect } from '../support/collect.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, work } from './stage.ts'

test('a hub calls those who listen to the process, and those who listen to any', () => {
  const hub = new ChangeHub()
  const heard: string[] = []
  hub.subscribe('p', () => heard.push('p'))
  hub.subscribe('q', () => heard.push('q'))
  hub.subscribeAny(() => heard.push('any'))
  hub.notify('p')
  expect(heard).toEqual(['p', 'any'])
})

test('a hub forgets a process that nobody listens to (§6 #141)', () => {
  const hub = new ChangeHub()
  const stops = [hub.subscribe('p', () => {}), hub.subscribe('p', () => {})]
  expect(hub.size).toBe(1)
  for (const stop of stops) stop()
  expect(hub.size).toBe(0)
  hub.notify('p')
})

test('a hub says how soon somebody wants to hear, and only when that changes', () => {
  const demands: string[] = []
  const hub = new ChangeHub(demand => demands.push(demand))
  const stopAny = hub.subscribeAny(() => {})
  const stopOne = hub.subscribe('p', () => {})
  const stopTwo = hub.subscribe('q', () => {})
  for (const stop of [stopOne, stopTwo, stopAny, stopAny]) stop()
  expect(demands).toEqual(['background', 'waiter', 'background', 'none'])
})

test('after changes may have been missed, everybody reads again', () => {
  const hub = new ChangeHub()
  const heard: string[] = []
  for (const id of ['p', 'q']) hub.subscribe(id, () => heard.push(id))
  hub.notifyAll()
  expect(heard).toEqual(['p', 'q'])
})

test('many waiters for one process all get the same outcome (§6 #137)', async () => {
  const gate = createGate()
  const stage = openStage({ engines: work(() => gate.pass().then(() => 'done')) })
  const id = await stage.start()
  const waiting = Promise.all(Array.from({ length: 50 }, () => stage.registry.awaitOutcome(id)))
  const running = stage.runner.run(id)
  gate.open()
  await running
  const outcomes = await waiting
  expect(new Set(outcomes.map(outcome => JSON.stringify(outcome)))).toEqual(
    new Set([JSON.stringify({ status: 'completed', value: 'done' })]),
  )
  expect(stage.registry.hub.size).toBe(0)
})

test('an ended process answers at once, an unknown one throws (§6 #132, #133)', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const id = await stage.start()
  await stage.outcome(id)
  expect(await stage.registry.awaitOutcome(id)).toEqual({ status: 'completed', value: 1 })
  await expect(stage.registry.awaitOutcome('nobody')).rejects.toMatchObject({ code: 'process_unknown' })
  expect(stage.registry.hub.size).toBe(0)
})

test('an abort ends a wait promptly and leaves no subscription (§6 #140)', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const id = await stage.start()
  const abort = new AbortController()
  const waiting = stage.registry.awaitOutcome(id, { signal: abort.signal })
  const following = collect(stage.registry.followEvents(id, { signal: abort.signal }))
  await eventually(() => stage.registry.hub.size === 1)
  abort.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(following).rejects.toThrow('enough')
  expect(stage.registry.hub.size).toBe(0)
})

test('a wait whose signal fired before does not begin', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const signal = AbortSignal.abort(new Error('before'))
  await expect(stage.registry.awaitOutcome(await stage.start(), { signal })).rejects.toThrow('before')
  expect(stage.registry.hub.size).toBe(0)
})

test('whoever follows a log is told of an abort, however much there is still to be given', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const id = await stage.start()
  await stage.outcome(id)
  const signal = AbortSignal.abort(new Error('before'))
  await expect(collect(stage.registry.followEvents(id, { signal }))).rejects.toThrow('before')
})

test('only events after the cursor are given, existing or future (§6 #136)', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await ctx.emit('note', 'one')
      await gate.pass()
      await ctx.emit('note', 'two')
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  const { lastSequence } = await stage.record(id)
  const following = collect(stage.registry.followEvents(id, { after: lastSequence }))
  gate.open()
  await running
  expect((await following).map(event => event.payload)).toEqual(['two', expect.anything()])
  const all = await collect(stage.registry.followEvents(id))
  expect(all.map(event => event.sequence)).toEqual(all.map((_, index) => index + 1))
})

test('the first event of a type after a cursor is waited for, existing or future (§6 #136)', async () => {
  const stage = openStage({ engines: work(() => null) })
  const id = await stage.start()
  const note = (payload: number) => stage.registry.append(id, { eventType: 'note', payload })
  await note(1)
  await stage.registry.append(id, { eventType: 'process.waiting', payload: null })
  const existing = await stage.registry.awaitEvent(id, 'note', 0)
  const future = stage.registry.awaitEvent(id, 'note', 1)
  const aborted = stage.registry.awaitEvent(id, 'note', 9, { signal: AbortSignal.abort(new Error('enough')) })
  await expect(aborted).rejects.toThrow('enough')
  await note(2)
  expect([existing.payload, (await future).payload]).toEqual([1, 2])
  await expect(stage.registry.awaitEvent('ghost', 'note', 0)).rejects.toMatchObject({
    code: 'process_unknown',
  })
  expect(stage.registry.hub.size).toBe(0)
})
