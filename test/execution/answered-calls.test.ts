import { generateText, isStepCount, type ToolCallRepairFunction, type ToolSet, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  definePlugin,
  defineTool,
  durableModel,
  durableTools,
  type Json,
  type Outcome,
  StepNotDone,
  type ToolDefinition,
} from '../../src/index.ts'
import type { ToolTable } from '../../src/runtime/plugin.ts'
import { type ScriptedStep, scriptedModel } from '../../src/testing/scripted-model.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type StageOptions, work } from './stage.ts'

const input = z.object({ n: z.number() })

/** A tool that may have its effect once, whose code is the test's. */
const once = (
  execute: (n: number, signal: AbortSignal | undefined) => unknown,
  options: Omit<ToolDefinition, 'tool'> = {},
): ToolDefinition =>
  defineTool(
    tool({ inputSchema: input, execute: async ({ n }, { abortSignal }) => execute(n, abortSignal) as Json }),
    { effect: 'once', ...options },
  )

const calls = (...wanted: readonly string[]): ScriptedStep => ({
  calls: wanted.map((name, n) => ({ tool: name, args: { n }, id: `c${n}` })),
})

/** What the model was told last, as JSON text. */
const told: ScriptedStep = prompt => JSON.stringify(prompt.at(-1)?.content)

/** The two loops that make a model's calls: the turn of a session, and the AI SDK's own over the durable wrappers. */
const LOOPS = [
  {
    loop: 'a session turn',
    open: (script: readonly ScriptedStep[], tools: ToolTable, policy: StageOptions['host'] = {}) => {
      const model = scriptedModel(script)
      const stage = openStage({ tools, host: { models: { default: model }, ...policy } })
      const request = { kind: 'session_turn', disposition: 'rerunnable', input: { prompt: 'go' } } as const
      return { stage, model, start: () => stage.start(request) }
    },
    answerOf: (outcome: Outcome) => textOf(outcome, value => Object(value).turn.answer),
  },
  {
    loop: 'the durable wrappers',
    open: (script: readonly ScriptedStep[], tools: ToolTable, policy: StageOptions['host'] = {}) => {
      const model = scriptedModel(script)
      const engines = work(async ctx => {
        const { text } = await generateText({
          model: durableModel(ctx, model),
          tools: durableTools(ctx, tools),
          stopWhen: isStepCount(9),
          prompt: 'go',
        })
        return text
      })
      const stage = openStage({ engines, host: policy })
      return { stage, model, start: () => stage.start() }
    },
    answerOf: (outcome: Outcome) => textOf(outcome, String),
  },
]

const textOf = (outcome: Outcome, read: (value: Json) => string): string =>
  outcome.status === 'completed' ? read(outcome.value) : expect.fail(JSON.stringify(outcome))

const reset = () => Promise.reject(new Error('connection reset'))

describe.each(LOOPS)('what the model of $loop is told', ({ open, answerOf }) => {
  test('of a call whose outcome nobody knows is just that, at every attempt, and it is never made again', async () => {
    let made = 0
    const gate = createGate()
    const pay = once(() => {
      made++
      return reset()
    })
    const { stage, model, start } = open([calls('pay'), async () => gate.pass().then(() => 'later'), told], {
      pay,
    })
    const id = await start()
    const second = await replay(stage, id, () =>
      eventually(async () => {
        expect(gate.arrivals).toBe(1)
        gate.open()
      }),
    )
    expect(second.status).toBe('completed')
    const heard = JSON.stringify(model.prompts.at(-1)?.at(-1))
    expect(heard).toContain('The outcome of this call is unknown')
    expect(heard).toContain('error-text')
    expect(made).toBe(1)
    expect(await stage.registry.effects(id)).toMatchObject([{ step: 'pay[c0]', state: 'unknown' }])
  })

  test('of one that the host’s reconcile has found is what it found', async () => {
    const pay = once(reset, {
      onUnknown: async operationId => ({ done: `paid as ${operationId.slice(0, 3)}` }),
    })
    const { stage, start } = open([calls('pay'), told], { pay })
    expect(answerOf(await stage.outcome(await start()))).toContain('paid as op_')
  })

  test('of one that somebody must look for is what they say, however long that takes', async () => {
    const { stage, start } = open([calls('pay'), told], { pay: once(reset, { onUnknown: 'ask' }) })
    const id = await start()
    expect(await stage.runner.run(id)).toMatchObject({ type: 'parked' })
    await stage.registry.resolveStep(id, 'pay[c0]', { value: 'the receipt is there' }, { by: 'ana' })
    expect(answerOf(await stage.outcome(id))).toContain('the receipt is there')
  })

  test('of one that was not done is that it failed', async () => {
    const pay = once(() => Promise.reject(new StepNotDone('card refused')))
    const { stage, start } = open([calls('pay'), told], { pay })
    expect(answerOf(await stage.outcome(await start()))).toContain('failed: card refused')
  })

  test('of several at once is what became of each', async () => {
    const tools = {
      pay: once(reset),
      refuse: once(() => Promise.reject(new StepNotDone('no'))),
      look: once(n => `seen ${n}`),
    }
    const { stage, start } = open([calls('pay', 'refuse', 'look'), told], tools)
    const answer = answerOf(await stage.outcome(await start()))
    expect(answer).toMatch(/c0.*is unknown.*c1.*failed: no.*c2.*seen 2/)
  })

  test('of a result that its tool has no words for is that the call was made', async () => {
    const mute = tool({
      inputSchema: input,
      execute: async () => 'done',
      toModelOutput: () => {
        throw new Error('no words')
      },
    })
    const { stage, start } = open([calls('mute'), told], { mute })
    expect(answerOf(await stage.outcome(await start()))).toContain(
      'The call was made, and its result cannot be shown: no words',
    )
  })
})

describe.each(LOOPS)('where one call of several ends the process of $loop', ({ open }) => {
  const policy = { policy: { budget: { toolCalls: 1 } } }

  test('those with an effect under way are let end first, and recorded', async () => {
    const gate = createGate()
    const slow = once(async (_, signal) => {
      await gate.pass(signal)
      return 'slow but sure'
    })
    const { stage, start } = open([calls('slow', 'look'), told], { slow, look: once(() => 1) }, policy)
    const id = await start()
    const running = stage.runner.run(id)
    await eventually(async () => {
      const refused = (await stage.registry.journal(id)).find(({ address }) => address === 'look[c1]')
      expect(refused?.status).toBe('failed')
      expect(gate.arrivals).toBe(1)
    })
    expect(await stage.record(id)).toMatchObject({ status: 'running' })
    gate.open()
    await running
    expect(await stage.record(id)).toMatchObject({
      outcome: { status: 'failed', code: 'process_budget_exceeded' },
    })
    const journal = await stage.registry.journal(id)
    expect(journal.find(({ address }) => address === 'slow[c0]')).toMatchObject({
      status: 'done',
      value: 'slow but sure',
    })
  })

  test('one that waits for people is not waited for, and not made', async () => {
    let made = 0
    const pay = once(() => ++made, { approval: {} })
    const { stage, start } = open([calls('pay', 'look', 'look'), told], { pay, look: once(() => 1) }, policy)
    expect(await stage.outcome(await start())).toMatchObject({ code: 'process_budget_exceeded' })
    expect(made).toBe(0)
  })
})

test('a call that ends the process does so though the loop stops before the model could be told', async () => {
  const model = scriptedModel([calls('look', 'look')])
  const stage = openStage({
    engines: work(async ctx => {
      const tools: ToolTable = { look: once(() => 1) }
      const { text } = await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, tools),
        stopWhen: isStepCount(1),
        prompt: 'go',
      })
      return text
    }),
    host: { policy: { budget: { toolCalls: 1 } } },
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'process_budget_exceeded' })
})

/** A model that calls a tool by half its name, and without what it needs. */
const clumsy: readonly ScriptedStep[] = [{ calls: [{ tool: 'loo', args: '{ "n": ', id: 'c0' }] }, told]

/** As hosts have it: gives every call that does not fit a name and arguments that do, and counts. */
function mending() {
  let mended = 0
  const mend: ToolCallRepairFunction<ToolSet> = async ({ toolCall }) => {
    mended++
    return { ...toolCall, toolName: 'look', input: '{"n":5}' }
  }
  return { mend, count: () => mended }
}

test('a call that does not fit is repaired by a hook of a plugin, once, and made', async () => {
  const { mend, count } = mending()
  const gate = createGate()
  const model = scriptedModel([
    ...clumsy.slice(0, 1),
    async prompt => gate.pass().then(() => JSON.stringify(prompt.at(-1))),
  ])
  const plugins = [
    definePlugin('idle', () => ({ hooks: { repairToolCall: async () => null } })),
    definePlugin('mender', () => ({ hooks: { repairToolCall: mend } })),
  ]
  const stage = openStage({
    tools: { look: once(n => `seen ${n}`) },
    host: { models: { default: model }, plugins },
  })
  const id = await stage.start({ kind: 'session_turn', disposition: 'rerunnable', input: { prompt: 'go' } })
  const outcome = await replay(stage, id, () =>
    eventually(() => {
      expect(gate.arrivals).toBe(1)
      gate.open()
    }),
  )
  expect(outcome).toMatchObject({ value: { turn: { answer: expect.stringContaining('seen 5') } } })
  expect(count()).toBe(1)
  expect((await stage.registry.journal(id)).map(({ address }) => address)).toContain('look[c0]')
})

test('a call that cannot be repaired is answered with what is wrong, also where the repair itself fails', async () => {
  const broken = definePlugin('broken', () => ({
    hooks: { repairToolCall: () => Promise.reject(new Error('no tools at hand')) },
  }))
  const stage = openStage({
    tools: { look: once(() => 1) },
    host: { models: { default: scriptedModel(clumsy) }, plugins: [broken] },
  })
  const id = await stage.start({ kind: 'session_turn', disposition: 'rerunnable', input: { prompt: 'go' } })
  expect(await stage.outcome(id)).toMatchObject({
    value: { turn: { answer: expect.stringContaining('no tools at hand') } },
  })
})

test('a call that the AI SDK’s own loop has repaired is made as repaired, at every attempt', async () => {
  const { mend } = mending()
  const model = scriptedModel(clumsy)
  const tools: ToolTable = { look: once(n => `seen ${n}`) }
  const stage = openStage({
    engines: work(async ctx => {
      const { text } = await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, tools),
        stopWhen: isStepCount(9),
        repairToolCall: mend,
        prompt: 'go',
      })
      return text
    }),
  })
  const outcome = await stage.outcome(await stage.start())
  expect(textOf(outcome, String)).toContain('seen 5')
})

test('a model that calls a tool and says that it has stopped has its result all the same', async () => {
  const prompts: unknown[] = []
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  }
  const call = { type: 'tool-call', toolCallId: 'c0', toolName: 'look', input: '{"n":1}' } as const
  const model = new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => ({
      content: prompts.push(prompt) === 1 ? [call] : [{ type: 'text', text: 'seen' }],
      finishReason: { unified: 'stop', raw: undefined },
      usage,
      warnings: [],
    }),
  })
  const stage = openStage({ tools: { look: once(() => 'a view') }, host: { models: { default: model } } })
  const id = await stage.start({
    kind: 'session_turn',
    disposition: 'rerunnable',
    input: { prompt: 'go' },
  })
  expect(await stage.outcome(id)).toMatchObject({ value: { turn: { answer: 'seen', steps: 2 } } })
  expect(JSON.stringify(prompts[1])).toContain('a view')
})
