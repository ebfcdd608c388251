import { tool } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Budget, defineTool, type Host, type Json } from '../../src/index.ts'
import { type ModelPrompt, type ScriptedStep, scriptedModel } from '../../src/testing/index.ts'
import { openStage } from './stage.ts'

/** One turn that follows the script, with a tool that counts its calls. */
async function openTurn(
  script: readonly ScriptedStep[],
  policy: { readonly [field: string]: Json } = {},
  more: Host['tools'] = {},
) {
  const made: number[] = []
  const look = tool({
    inputSchema: z.object({ n: z.number() }),
    execute: async ({ n }) => {
      made.push(n)
      return made.length
    },
  })
  const model = scriptedModel(script)
  const stage = openStage({ host: { models: { default: model }, policy, tools: { look, ...more } } })
  const id = await stage.start({
    kind: 'session_turn',
    disposition: 'rerunnable',
    input: { prompt: 'look around' },
  })
  return { stage, id, model, made, outcome: await stage.outcome(id) }
}

const looks = (n: number, id?: string): ScriptedStep => ({
  calls: [{ tool: 'look', args: { n }, ...(id === undefined ? {} : { id }) }],
})

const lastOutput = (prompt: ModelPrompt | undefined) => JSON.stringify(prompt?.at(-1)?.content)

test.each<Budget>([{ modelCalls: 3 }, { toolCalls: 2 }, { tokens: 9_000 }, { costUsd: 0.02 }])(
  'a turn with the budget %j ends as failed before it spends more',
  async budget => {
    const policy = { budget: { ...budget }, price: { input: 1, output: 2 } }
    const script = Array.from({ length: 20 }, (_, n) => ({
      calls: [{ tool: 'look', args: { n } }],
      tokens: { input: 1_000, output: 500 },
    }))
    const { stage, id, model, made, outcome } = await openTurn(script, policy)
    const [[limit, allowed] = ['', 0]] = Object.entries(budget)
    expect(outcome).toMatchObject({
      status: 'failed',
      code: 'process_budget_exceeded',
      message: expect.stringContaining(limit),
    })
    const spent = (await stage.registry.budget(id))?.spent
    expect(spent).toMatchObject({ modelCalls: model.prompts.length, toolCalls: made.length })
    expect(Reflect.get(spent ?? {}, limit)).toBeLessThanOrEqual(allowed)
  },
)

test('a turn says what it cost, and the journal what each call did', async () => {
  const tokens = { input: 1_000_000, output: 100_000 }
  const script = [
    { calls: [{ tool: 'look', args: { n: 1 } }], tokens },
    { text: 'done', tokens },
  ]
  const { stage, id, outcome } = await openTurn(script, { price: { input: 1, output: 10 } })
  expect(outcome).toMatchObject({
    value: { turn: { usage: { inputTokens: 2_000_000, outputTokens: 200_000, costUsd: 4 } } },
  })
  const [call] = await stage.registry.journal(id)
  expect(call).toMatchObject({ value: { usage: { costUsd: 2 }, failedTries: [] } })
})

test('a provider that asks to be left alone is asked again, and once more is not told as another call', async () => {
  let asked = 0
  const busy = Object.assign(new Error('overloaded'), {
    isRetryable: true,
    responseHeaders: { 'retry-after-ms': '0' },
  })
  const { stage, id, outcome } = await openTurn([() => (++asked === 1 ? busy : 'there')])
  expect(outcome).toMatchObject({ value: { turn: { answer: 'there', steps: 1 } } })
  const [call] = await stage.registry.journal(id)
  expect(call).toMatchObject({ value: { failedTries: [{ error: 'overloaded' }] } })
})

test('calls under an id that another call had are calls of their own', async () => {
  const { made, outcome } = await openTurn([looks(1, 'call_0'), looks(1, 'call_0'), looks(2, 'call_0'), 'ok'])
  expect(outcome).toMatchObject({ status: 'completed' })
  expect(made).toEqual([1, 1, 2])
})

test('the same call again and again is answered without the tool, and ends the turn if it does not stop', async () => {
  const { model, made, outcome } = await openTurn(
    Array.from({ length: 20 }, () => looks(1)),
    { sameCalls: 2 },
  )
  expect(outcome).toMatchObject({ status: 'failed', code: 'process_call_repeated' })
  expect(made).toHaveLength(2)
  expect(lastOutput(model.prompts[3])).toContain('2 times already')
  expect(model.prompts).toHaveLength(5)
})

test('a long result is shown by its beginning and its end, and kept whole', async () => {
  const long = defineTool(tool({ inputSchema: z.object({}), execute: async () => 'x'.repeat(500) }), {
    shownChars: 100,
  })
  const { stage, id, model } = await openTurn([{ calls: [{ tool: 'long' }] }, 'ok'], {}, { long })
  expect(lastOutput(model.prompts[1])).toContain('left out')
  const entries = await stage.registry.journal(id)
  expect(entries.find(({ address }) => address.startsWith('long'))?.value).toHaveLength(500)
})

test('whether a call needs approval is asked once, in a step of its own', async () => {
  let asked = 0
  const careful = tool({
    inputSchema: z.object({}),
    needsApproval: () => ++asked > 1,
    execute: async () => 'done',
  })
  const { outcome } = await openTurn([{ calls: [{ tool: 'careful' }] }, 'ok'], {}, { careful })
  expect(outcome).toMatchObject({ value: { turn: { answer: 'ok' } } })
  expect(asked).toBe(1)
})

test.each([
  [{ sameCalls: 0 }, 'sameCalls'],
  [{ price: { input: 1 } }, 'price'],
])('the policy %j is told to be of no use', async (policy, field) => {
  const { outcome } = await openTurn(['ok'], policy)
  expect(outcome).toMatchObject({
    code: 'process_session_turn_failed',
    message: expect.stringContaining(field),
  })
})
