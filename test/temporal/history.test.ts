import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { historyText } from '../support/history-text.ts'
import { openWorld } from '../support/temporal-world.ts'

const steps = defineEngine<{ count: number }, { count: number }, number>({
  disposition: 'rerunnable',
  async run(ctx) {
    let sum = 0
    for (let i = 0; i < ctx.input.count; i++) sum += await ctx.step('one', () => 1)
    return sum
  },
})

const naps = defineEngine<{ count: number }, { count: number }, number>({
  disposition: 'rerunnable',
  async run(ctx) {
    for (let i = 0; i < ctx.input.count; i++) await ctx.sleep(400)
    return ctx.attempt
  },
})

test.each([1, 1_000])('%i steps are one activity and 11 history events', async count => {
  await using world = await openWorld({ engines: { steps } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'steps', input: { count } })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: count })
  expect(await world.historyLength(handle.id)).toBeLessThanOrEqual(11)
})

test.each([1, 3])('%i parks add at most 10 history events each, and no timer', async count => {
  await using world = await openWorld({ engines: { naps } })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'naps', input: { count } })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: count + 1 })
  expect(await world.historyLength(handle.id)).toBeLessThanOrEqual(11 + 10 * count)
  const { events } = await world.workflow(handle.id).fetchHistory()
  expect(events?.filter(event => event.timerStartedEventAttributes != null)).toEqual([])
  const types = await world.eventTypes(handle.id)
  expect(types.filter(type => type === 'process.waiting')).toHaveLength(count)
  expect(types.filter(type => type === 'process.resumed')).toHaveLength(count)
})

test('no value of a process enters a history', async () => {
  const secret = 'a value that only the registry may hold'
  const echo = defineEngine<{ text: string }, { text: string }, string>({
    disposition: 'rerunnable',
    run: ctx => ctx.step('echo', () => ctx.input.text),
  })
  await using world = await openWorld({ engines: { echo } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'echo', input: { text: secret } })
  expect(await handle.outcome()).toMatchObject({ value: secret })
  await world.historyLength(handle.id)
  const { text } = await historyText(world.temporal, handle.id)
  // Of our own input, which shows that a payload would be found.
  expect(text).toContain('heartbeatTimeoutMs')
  expect(text).not.toContain(secret)
})

test('an outcome larger than a payload of Temporal’s may be is whole in the registry, and in no history (H23, §6 #235)', async () => {
  const BYTES = 3 * 2 ** 20
  const large = defineEngine({ disposition: 'rerunnable', run: () => 'x'.repeat(BYTES) })
  await using world = await openWorld({ engines: { large } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'large' })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 'x'.repeat(BYTES) })
  expect(await world.historyLength(handle.id)).toBeLessThanOrEqual(11)
})
