import { hasToolCall, isStepCount, type StopCondition, type ToolSet, tool } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineHost, definePlugin, type Host, type Json } from '../../src/index.ts'
import { type ScriptedStep, scriptedModel } from '../../src/testing/scripted-model.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay } from './stage.ts'

type Condition = StopCondition<ToolSet>

const look = tool({ inputSchema: z.object({ n: z.number() }), execute: async ({ n }) => `seen ${n}` })
const fail = tool({
  inputSchema: z.object({}),
  execute: async (): Promise<string> => {
    throw new Error('no')
  },
})

/** A model that looks again and again, and says something meanwhile. */
const looking: readonly ScriptedStep[] = Array.from({ length: 30 }, (_, n) => ({
  text: `look ${n + 1}`,
  calls: [{ tool: 'look', args: { n } }],
}))

async function openTurn(
  stopConditions: Readonly<Record<string, Condition>>,
  policy: { readonly [field: string]: Json },
  {
    script = looking,
    output,
    ...more
  }: Partial<Host> & { script?: readonly ScriptedStep[]; output?: Json } = {},
) {
  const model = scriptedModel(script)
  const host = { models: { default: model }, tools: { look, fail }, stopConditions, policy, ...more }
  const stage = openStage({ host })
  const input = { prompt: 'go', ...(output === undefined ? {} : { output }) }
  const id = await stage.start({ kind: 'session_turn', disposition: 'rerunnable', input })
  return { stage, id, model }
}

const seen: unknown[] = []

test.each<[title: string, condition: Condition, steps: number, answer: string]>([
  ['a number of model calls', isStepCount(3), 3, 'look 3'],
  ['a tool that was called', hasToolCall('look'), 1, 'look 1'],
  ['a function of the steps', ({ steps }) => steps.some(({ text }) => text === 'look 4'), 4, 'look 4'],
  [
    'what a tool said',
    async ({ steps }) => steps.at(-1)?.toolResults.some(({ output }) => output === 'seen 1') === true,
    2,
    'look 2',
  ],
])('%s ends a turn whose policy says so, with what was said by then', async (_, condition, steps, answer) => {
  const { stage, id, model } = await openTurn({ enough: condition }, { stopWhen: ['enough'] })
  expect(await stage.outcome(id)).toMatchObject({
    status: 'completed',
    value: { turn: { answer, steps, stoppedBy: 'enough' } },
  })
  expect(model.prompts).toHaveLength(steps)
  const entries = (await stage.registry.loadSession(`process-session-turn:${id}`))?.entries
  expect(entries?.at(-1)?.message).toMatchObject({ role: 'tool' })
})

test('the steps are what the AI SDK makes of them', async () => {
  const script: ScriptedStep[] = [
    {
      text: 'both',
      calls: [
        { tool: 'look', args: { n: 7 }, id: 'a' },
        { tool: 'fail', id: 'b' },
      ],
    },
    { calls: [{ tool: 'look', args: { n: 'x' }, id: 'c' }], tokens: { input: 4, output: 2 } },
    'done',
  ]
  const note: Condition = ({ steps }) => {
    seen.splice(0, seen.length, ...steps)
    return false
  }
  const { stage, id } = await openTurn({ note }, { stopWhen: ['note'] }, { script })
  expect(await stage.outcome(id)).toMatchObject({ value: { turn: { answer: 'done', steps: 3 } } })
  expect(seen).toMatchObject([
    {
      stepNumber: 0,
      text: 'both',
      finishReason: 'tool-calls',
      model: { provider: 'leasehold-testing', modelId: 'scripted' },
      toolCalls: [{ toolCallId: 'a', toolName: 'look', input: { n: 7 } }, { toolCallId: 'b' }],
      toolResults: [{ toolCallId: 'a', output: 'seen 7' }],
      content: [
        { type: 'text', text: 'both' },
        { type: 'tool-call' },
        { type: 'tool-call' },
        { type: 'tool-result' },
        { type: 'tool-error', toolCallId: 'b' },
      ],
    },
    {
      stepNumber: 1,
      toolCalls: [{ toolCallId: 'c', invalid: true }],
      toolResults: [],
      usage: { inputTokens: 4, outputTokens: 2, totalTokens: 6 },
    },
  ])
})

test('the first that the policy names tells why, and those that it does not name are not asked', async () => {
  const never: Condition = () => expect.fail('was asked')
  const { stage, id } = await openTurn(
    { never, second: isStepCount(2), third: isStepCount(2) },
    { stopWhen: ['third', 'second'] },
  )
  expect(await stage.outcome(id)).toMatchObject({ value: { turn: { steps: 2, stoppedBy: 'third' } } })
})

test('a later attempt takes the word of the one before, whatever the function would say by now', async () => {
  const gate = createGate()
  let answer = false
  const moody: Condition = () => answer
  const script: ScriptedStep[] = [
    ...looking.slice(0, 1),
    async () => {
      await gate.pass()
      return 'came to an end'
    },
  ]
  const { stage, id } = await openTurn({ moody }, { stopWhen: ['moody'] }, { script })
  const outcome = await replay(stage, id, async () => {
    await eventually(() => expect(gate.arrivals).toBe(1))
    answer = true
    gate.open()
  })
  expect(outcome).toMatchObject({ value: { turn: { answer: 'came to an end', steps: 2 } } })
})

test('the limit of model calls fails a turn only where no condition has ended it by then', async () => {
  const atLimit = await openTurn({ two: isStepCount(2) }, { stopWhen: ['two'], maxSteps: 2 })
  expect(await atLimit.stage.outcome(atLimit.id)).toMatchObject({ value: { turn: { stoppedBy: 'two' } } })
  const beyond = await openTurn({ three: isStepCount(3) }, { stopWhen: ['three'], maxSteps: 2 })
  expect(await beyond.stage.outcome(beyond.id)).toMatchObject({
    code: 'process_session_turn_failed',
    message: expect.stringContaining('maxSteps'),
  })
})

test('what was said by then has to fit the output contract all the same', async () => {
  const output = { type: 'object', required: ['n'] }
  const script: ScriptedStep[] = [{ text: '{"n":1}', calls: [{ tool: 'look', args: { n: 1 } }] }]
  const fits = await openTurn({ one: isStepCount(1) }, { stopWhen: ['one'] }, { script, output })
  expect(await fits.stage.outcome(fits.id)).toMatchObject({ value: { turn: { answer: { n: 1 } } } })
  const not = await openTurn({ one: isStepCount(1) }, { stopWhen: ['one'] }, { output })
  expect(await not.stage.outcome(not.id)).toMatchObject({
    code: 'process_session_turn_failed',
    message: expect.stringContaining('output contract'),
  })
})

test.each<[title: string, conditions: Record<string, Condition>, stopWhen: Json, says: string]>([
  ['one that the host has not', { some: isStepCount(1) }, ['none'], 'no stop condition "none"'],
  ['no list', {}, 'some', 'stopWhen is no use'],
  [
    'one that throws',
    {
      some: () => {
        throw new Error('out of order')
      },
    },
    ['some'],
    'out of order',
  ],
])('a policy whose stopWhen names %s fails the turn', async (_, conditions, stopWhen, says) => {
  const { stage, id } = await openTurn(conditions, { stopWhen })
  expect(await stage.outcome(id)).toMatchObject({
    code: 'process_session_turn_failed',
    message: expect.stringContaining(says),
  })
})

test('a plugin gives some as well; what is no function is refused with the host', async () => {
  const plugin = definePlugin('brief', () => ({ stopConditions: { brief: isStepCount(1) } }))
  const { stage, id } = await openTurn({}, { stopWhen: ['brief'] }, { plugins: [plugin] })
  expect(await stage.outcome(id)).toMatchObject({ value: { turn: { stoppedBy: 'brief' } } })
  const { registry } = stage
  const host = {
    registry: { description: 'it', open: async () => registry },
    stopConditions: { wrong: Number('1') as never },
  }
  expect(() => defineHost(host)).toThrow('a stop condition "wrong" that is no function')
})
