import { expect, test } from 'vitest'
import { readUiMessages } from '../../src/client/ui-messages.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, type Stage, work } from './stage.ts'

const chunk = (delta: string) => ({ type: 'text-delta', id: 't', delta })

/** A process that has said one thing, and says more when the gate is open. */
async function openChat() {
  const [gate, end] = [createGate(), createGate()]
  const stage = openStage({
    engines: work(async ctx => {
      await ctx.stream('ui').write(chunk('a'))
      await gate.pass()
      for (const delta of 'bcdef') await ctx.stream('ui').write(chunk(delta))
      await end.pass()
    }),
  })
  const id = await stage.start()
  const run = stage.runner.run(id)
  await eventually(async () => (await stage.registry.streamHeads(id)).length === 1)
  const finish = () => {
    end.open()
    return run
  }
  return { stage, id, gate, finish }
}

const allSaid = ({ registry }: Stage, id: string) =>
  eventually(async () => (await registry.streamHeads(id))[0]?.next === 6)

test.each([
  ['that goes away', (_: AbortController, reader: ReadableStreamDefaultReader) => reader.cancel()],
  ['whose signal fires', (signal: AbortController) => signal.abort(new Error('closed'))],
])('a reader %s with chunks before it that it has not read leaves nobody listening', async (_, leave) => {
  const { stage, id, gate, finish } = await openChat()
  const listened = stage.registry.hub.size
  const tab = new AbortController()
  const reader = readUiMessages(async () => stage.registry, {
    id,
    channel: 'ui',
    signal: tab.signal,
  }).getReader()
  expect(await reader.read()).toEqual({ done: false, value: chunk('a') })
  await eventually(() => stage.registry.hub.size > listened)
  gate.open()
  await allSaid(stage, id)
  expect(await reader.read()).toEqual({ done: false, value: chunk('b') })
  await leave(tab, reader)
  await eventually(() => stage.registry.hub.size === listened)
  await finish()
})

test('a reader whose signal has fired is told so, whatever it has not read', async () => {
  const { stage, id, gate, finish } = await openChat()
  const tab = new AbortController()
  const options = { id, channel: 'ui', signal: tab.signal }
  const reader = readUiMessages(async () => stage.registry, options).getReader()
  await reader.read()
  gate.open()
  await allSaid(stage, id)
  await reader.read()
  tab.abort(new Error('closed'))
  await expect(reader.read().then(() => reader.read())).rejects.toThrow('closed')
  await finish()
})
