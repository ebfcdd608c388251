import { expect, onTestFinished, test } from 'vitest'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createInlineWorker, createProcessClient, defineHost, subAgents } from '../../src/index.ts'
import { type ModelPrompt, type ScriptedStep, scriptedModel } from '../../src/testing/index.ts'
import { temporaryPath } from '../registry/store-fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { scannedLogger } from '../support/scan/logs.ts'

/** What the tools have answered, in order. */
const resultsIn = (prompt: ModelPrompt) =>
  prompt.flatMap(message =>
    message.role === 'tool'
      ? message.content.flatMap(part => (part.type === 'tool-result' ? [part.output] : []))
      : [],
  )

const idsIn = (prompt: ModelPrompt): string[] =>
  resultsIn(prompt).flatMap(output =>
    output.type === 'json' && typeof Object(output.value).id === 'string' ? [Object(output.value).id] : [],
  )

const textsIn = (prompt: ModelPrompt): string[] =>
  prompt.flatMap(({ role, content }) =>
    role === 'user' ? content.map(part => (part.type === 'text' ? part.text : part.type)) : [],
  )

const depthIn = (prompt: ModelPrompt): number => Number(textsIn(prompt)[0])

/** A parent that follows the script, and helpers that answer what they are told; `slow` ones only at the gate. */
async function openWorld(script: readonly ScriptedStep[]) {
  const gate = createGate()
  const helper = scriptedModel(
    Array.from({ length: 4 }, () => (prompt: ModelPrompt) => `found ${textsIn(prompt).join(' and ')}`),
  )
  const host = defineHost({
    registry: parseRegistryAddress(`sqlite:${await temporaryPath()}`),
    models: {
      default: scriptedModel(script),
      helper,
      slow: {
        ...helper,
        doGenerate: async (params: Parameters<typeof helper.doGenerate>[0]) => {
          await gate.pass(params.abortSignal)
          return helper.doGenerate(params)
        },
      },
      broken: scriptedModel([new Error('no such book')]),
      // Each has another one work, down to the fifth.
      deep: scriptedModel([
        prompt => ({
          calls: [start(depthIn(prompt) < 5 ? 'deep' : 'reader', `${depthIn(prompt) + 1}`, 'c1')],
        }),
        prompt => ({ calls: [{ tool: 'await_agents', args: { ids: idsIn(prompt) }, id: 'c2' }] }),
        prompt => JSON.stringify(resultsIn(prompt).at(-1)).replaceAll('\\', ''),
      ]),
    },
    policy: { model: 'default' },
    tools: await subAgents({
      reader: { description: 'Reads.', policy: { model: 'helper', tools: [] } },
      slow: { description: 'Reads slowly.', policy: { model: 'slow', tools: [] } },
      broken: { description: 'Fails.', policy: { model: 'broken', tools: [] } },
      deep: { description: 'Has others work.', policy: { model: 'deep' } },
    }),
  })
  const processes = createProcessClient({ host })
  onTestFinished(() => processes[Symbol.asyncDispose]())
  const worker = createInlineWorker(host, { logger: scannedLogger, shutdownGraceMs: 0, parkGraceMs: 10 })
  onTestFinished(async () => void (await worker.stop()))
  await worker.ready
  return { host, processes, chat: processes.session('chat'), gate }
}

const start = (agent: string, task: string, id: string, notify = false) => ({
  tool: 'start_agent',
  args: { agent, task, notify },
  id,
})

test('helpers started side by side are awaited, and their truths come back: answer and failure', async () => {
  const { chat, processes } = await openWorld([
    { calls: [start('reader', 'a', 'c1'), start('reader', 'b', 'c2'), start('broken', 'c', 'c3')] },
    prompt => ({ calls: [{ tool: 'await_agents', args: { ids: idsIn(prompt) }, id: 'c4' }] }),
    prompt => JSON.stringify(resultsIn(prompt).at(-1)),
  ])
  const turn = await chat.send('research')
  const outcome = await turn.outcome()
  if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome))
  const { value } = JSON.parse(Object(outcome.value).turn.answer)
  expect(value).toMatchObject([
    { result: { type: 'success', value: { turn: { answer: 'found a' } } } },
    { result: { type: 'success', value: { turn: { answer: 'found b' } } } },
    { result: { type: 'failure', code: 'process_session_turn_failed' } },
  ])
  // Each is a process of its own, with its own session.
  const [{ id }] = value
  expect(await processes.handle(id).describe()).toMatchObject({
    provenance: { causedBy: { type: 'process', processId: turn.id } },
  })
  expect(await processes.session(id).entries()).toHaveLength(2)
})

test('the end of a helper that is not awaited comes into the session as a turn, once', async () => {
  const { chat } = await openWorld([
    { calls: [start('reader', 'a', 'c1', true)] },
    'started',
    prompt => `told: ${textsIn(prompt).at(-1)}`,
  ])
  const turn = await chat.send('research')
  expect(await turn.outcome()).toMatchObject({ value: { turn: { answer: 'started' } } })
  await expect.poll(async () => (await chat.entries()).length).toBe(6)
  const said = JSON.stringify((await chat.entries()).at(-1)?.message)
  expect(said).toContain('has ended as completed')
  expect(said).toContain('found a')
})

test('helpers have helpers, as deep as need be', async () => {
  const { chat } = await openWorld([
    { calls: [start('deep', '1', 'c1')] },
    prompt => ({ calls: [{ tool: 'await_agents', args: { ids: idsIn(prompt) }, id: 'c2' }] }),
    prompt => JSON.stringify(resultsIn(prompt).at(-1)),
  ])
  expect(JSON.stringify(await (await chat.send('research')).outcome())).toContain('found 6')
})

test('arguments that do not fit are answered', async () => {
  const { chat } = await openWorld([
    {
      calls: [
        { tool: 'start_agent', args: { agent: 'reader' } },
        { tool: 'await_agents', args: { ids: 7 } },
      ],
    },
    prompt => JSON.stringify(resultsIn(prompt)),
  ])
  const outcome = await (await chat.send('research')).outcome()
  expect(outcome).toMatchObject({ status: 'completed' })
  expect(JSON.stringify(outcome).match(/The arguments do not fit/g)).toHaveLength(2)
})

test('a helper is cancelled, and whoever awaits it hears just that', async () => {
  const { chat } = await openWorld([
    { calls: [start('slow', 'a', 'c1')] },
    prompt => ({
      calls: [{ tool: 'cancel_agent', args: { id: idsIn(prompt)[0] ?? '', reason: 'enough' }, id: 'c2' }],
    }),
    prompt => ({ calls: [{ tool: 'await_agents', args: { ids: idsIn(prompt).slice(0, 1) }, id: 'c3' }] }),
    prompt => JSON.stringify(resultsIn(prompt).at(-1)),
  ])
  const outcome = await (await chat.send('research')).outcome()
  expect(JSON.stringify(outcome)).toContain('\\"type\\":\\"cancelled\\"')
})

test('a helper is told more, in its own session', async () => {
  const { chat } = await openWorld([
    { calls: [start('reader', 'a', 'c1')] },
    prompt => ({ calls: [{ tool: 'await_agents', args: { ids: idsIn(prompt) }, id: 'c2' }] }),
    prompt => ({
      calls: [{ tool: 'message_agent', args: { id: idsIn(prompt)[0] ?? '', text: 'b' }, id: 'c3' }],
    }),
    prompt => ({ calls: [{ tool: 'await_agents', args: { ids: idsIn(prompt).slice(-1) }, id: 'c4' }] }),
    prompt => JSON.stringify(resultsIn(prompt).at(-1)),
  ])
  const outcome = await (await chat.send('research')).outcome()
  expect(JSON.stringify(outcome)).toContain('found a and b')
})

test('a helper that takes longer is said to be running; what was started elsewhere is nobody else’s to touch', async () => {
  const { chat, processes, gate } = await openWorld([
    { calls: [start('slow', 'a', 'c1')] },
    prompt => ({
      calls: [
        { tool: 'await_agents', args: { ids: idsIn(prompt), timeoutSeconds: 0 }, id: 'c2' },
        { tool: 'cancel_agent', args: { id: 'other', reason: 'mine now' }, id: 'c3' },
      ],
    }),
    prompt => JSON.stringify(resultsIn(prompt)),
  ])
  const other = await processes.startUntyped({
    kind: 'external',
    id: 'other',
    input: null,
    disposition: 'externally_owned',
  })
  const outcome = JSON.stringify(await (await chat.send('research')).outcome())
  expect(outcome).toContain('\\"type\\":\\"running\\"')
  expect(outcome).toContain('none of the sub-agents')
  expect(await other.describe()).not.toHaveProperty('cancelRequest')
  gate.open()
})

test('a helper that is told more while it works hears it when it is done, and both its answers come back', async () => {
  const { chat, gate } = await openWorld([
    { calls: [start('slow', 'a', 'c1')] },
    prompt => ({
      calls: [{ tool: 'message_agent', args: { id: idsIn(prompt)[0] ?? '', text: 'b' }, id: 'c2' }],
    }),
    prompt => {
      gate.open()
      return { calls: [{ tool: 'await_agents', args: { ids: idsIn(prompt) }, id: 'c3' }] }
    },
    prompt => JSON.stringify(resultsIn(prompt).at(-1)),
  ])
  const outcome = await (await chat.send('research')).outcome()
  if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome))
  expect(JSON.parse(Object(outcome.value).turn.answer).value).toMatchObject([
    { result: { type: 'success', value: { turn: { answer: 'found a' } } } },
    { result: { type: 'success', value: { turn: { answer: 'found a and b' } } } },
  ])
})

test('the cancel of a turn that awaits its helpers leaves them at work, and their end still comes into its session, once', async () => {
  let ids: readonly string[] = []
  const { chat, processes, gate } = await openWorld([
    prompt => (textsIn(prompt)[0] === 'research' ? { calls: [start('slow', 'a', 'c1', true)] } : 'heard'),
    prompt => {
      ids = idsIn(prompt)
      return { calls: [{ tool: 'await_agents', args: { ids }, id: 'c2' }] }
    },
  ])
  const turn = await chat.send('research')
  await eventually(() => expect([gate.arrivals, ids.length]).toEqual([1, 1]))
  const helper = processes.handle(ids[0] ?? '')
  await turn.cancel('enough')
  expect(await turn.outcome()).toMatchObject({ status: 'cancelled' })
  expect(await helper.describe()).toMatchObject({ status: 'running' })
  gate.open()
  expect(await helper.outcome()).toMatchObject({ status: 'completed' })
  // What the cancelled turn has said is no part of the session; what it is told now is.
  await expect.poll(async () => (await chat.entries()).length).toBe(2)
  const [told] = await chat.entries()
  expect(JSON.stringify(told?.message)).toContain('has ended as completed')
  expect(JSON.stringify(told?.message)).toContain('found a')
})

test('of a helper that was pruned it is said how it ended, of a forgotten one that it is unknown; the others are awaited all the same', async () => {
  const { chat, host, processes, gate } = await openWorld([
    { calls: [start('reader', 'a', 'c1'), start('broken', 'b', 'c2'), start('slow', 'c', 'c3')] },
    async prompt => {
      const ids = idsIn(prompt)
      for (const id of ids.slice(0, 2)) await processes.handle(id).outcome()
      const registry = await host.registry.open()
      const before = Date.now() + 60_000
      await registry.prune({ before, filter: { identityLabel: 'reader' } })
      await registry.compactTombstones(before)
      await registry.prune({ before, filter: { identityLabel: 'broken' } })
      await registry.close()
      gate.open()
      return { calls: [{ tool: 'await_agents', args: { ids }, id: 'c4' }] }
    },
    prompt => JSON.stringify(resultsIn(prompt).at(-1)),
  ])
  const outcome = await (await chat.send('research')).outcome()
  if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome))
  expect(JSON.parse(Object(outcome.value).turn.answer).value).toMatchObject([
    { result: { type: 'failure', code: 'process_unknown' } },
    {
      result: {
        type: 'success',
        code: 'process_no_longer_retained',
        value: { terminalLabel: 'failed', prunedAtMs: expect.any(Number) },
      },
    },
    { result: { type: 'success', value: { turn: { answer: 'found c' } } } },
  ])
})
