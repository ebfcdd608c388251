import { generateText, isStepCount, streamText, ToolLoopAgent, tool } from 'ai'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  durableModel,
  durableTools,
  isLeaseholdError,
  type ModelCallRecord,
  type ProcessContext,
} from '../../src/index.ts'
import { fromJson } from '../../src/model/json.ts'
import { type ScriptedModel, type ScriptedStep, scriptedModel } from '../../src/testing/scripted-model.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type Stage, work } from './stage.ts'

const retryable = (message: string) => Object.assign(new Error(message), { isRetryable: true })

/** Two calls of `add` side by side, then a word on them. */
const SUMS: readonly ScriptedStep[] = [
  {
    calls: [
      { tool: 'add', args: { a: 1, b: 2 } },
      { tool: 'add', args: { a: 3, b: 4 } },
    ],
  },
  prompt =>
    `I see ${JSON.stringify(prompt.at(-1))
      .match(/"value":\d+/g)
      ?.join(' ')}`,
]

function adder() {
  const added: number[] = []
  const add = tool({
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: async ({ a, b }) => {
      added.push(a + b)
      return a + b
    },
  })
  return { add, added }
}

/** One process whose first attempt is lost when its code is done: the second replays all of it. */
async function twice(run: (ctx: ProcessContext) => Promise<unknown>) {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      const value = await run(ctx)
      if (ctx.attempt === 1) await gate.pass(ctx.signal)
      return value
    }),
  })
  const id = await stage.start()
  const outcome = await replay(stage, id, () => eventually(() => expect(gate.arrivals).toBe(1)))
  return { stage, id, outcome }
}

const modelCalls = async ({ registry }: Stage, id: string): Promise<readonly ModelCallRecord[]> =>
  (await registry.journal(id))
    .filter(({ address }) => address.startsWith('model['))
    .map(({ value }) => fromJson<ModelCallRecord>(value ?? null))

describe('unchanged code of the AI SDK', () => {
  type Ask = (
    ctx: ProcessContext,
    model: ScriptedModel,
    add: ReturnType<typeof adder>['add'],
  ) => Promise<string>
  const WAYS: readonly [name: string, ask: Ask][] = [
    [
      'generateText',
      async (ctx, model, add) => {
        const { text } = await generateText({
          model: durableModel(ctx, model),
          tools: durableTools(ctx, { add }),
          prompt: 'add',
          stopWhen: isStepCount(5),
        })
        return text
      },
    ],
    [
      'streamText',
      async (ctx, model, add) => {
        const { textStream } = streamText({
          model: durableModel(ctx, model),
          tools: durableTools(ctx, { add }),
          prompt: 'add',
          stopWhen: isStepCount(5),
        })
        let text = ''
        for await (const delta of textStream) text += delta
        return text
      },
    ],
    [
      'an agent',
      async (ctx, model, add) => {
        const agent = new ToolLoopAgent({
          model: durableModel(ctx, model),
          tools: durableTools(ctx, { add }),
        })
        return (await agent.generate({ prompt: 'add' })).text
      },
    ],
  ]

  test.each(WAYS)('%s runs in an engine, and a later attempt makes no call again', async (_, ask) => {
    const { add, added } = adder()
    const model = scriptedModel(SUMS)
    const { outcome } = await twice(ctx => ask(ctx, model, add))
    expect(outcome).toEqual({ status: 'completed', value: 'I see "value":3 "value":7' })
    expect(model.prompts).toHaveLength(2)
    expect(added).toEqual([3, 7])
  })
})

describe('a durable model', () => {
  test('is asked by calls side by side, each a step of its own, also where two say the same', async () => {
    const model = scriptedModel([prompt => `heard ${JSON.stringify(prompt.at(-1)?.content).length}`])
    const { stage, id, outcome } = await twice(async ctx => {
      const asked = ['a', 'bb', 'bb', 'cccc'].map(prompt =>
        generateText({ model: durableModel(ctx, model), prompt }),
      )
      return (await Promise.all(asked)).map(({ text }) => text)
    })
    expect(outcome).toMatchObject({ status: 'completed' })
    expect(model.prompts).toHaveLength(4)
    expect(await modelCalls(stage, id)).toHaveLength(4)
  })

  test('records tries, tokens and cost once, with its own retries and none of the SDK’s', async () => {
    let asked = 0
    const model = scriptedModel(['done'], {
      onCall: () => {
        if (++asked < 3) throw retryable('overloaded')
      },
    })
    const { stage, id, outcome } = await twice(async ctx => {
      const options = { retry: { delayMs: 0 }, price: { input: 2, output: 8 } }
      return (await generateText({ model: durableModel(ctx, model, options), prompt: 'hello' })).text
    })
    expect(outcome).toEqual({ status: 'completed', value: 'done' })
    expect(asked).toBe(3)
    expect(await modelCalls(stage, id)).toMatchObject([
      {
        modelId: 'scripted',
        failedTries: [{ error: 'overloaded' }, { error: 'overloaded' }],
        usage: { inputTokens: 10, outputTokens: 5, costUsd: 0.00006 },
      },
    ])
  })

  test('that fails for good is not asked again, neither by the SDK nor by the next attempt', async () => {
    const model = scriptedModel([retryable('no capacity')])
    const { outcome } = await twice(async ctx => {
      try {
        return await generateText({
          model: durableModel(ctx, model, { retry: { attempts: 2, delayMs: 0 } }),
          prompt: 'hello',
        })
      } catch (error) {
        return isLeaseholdError(error, 'step_failed') ? error.message : 'another error'
      }
    })
    expect(outcome).toEqual({ status: 'completed', value: 'no capacity' })
    expect(model.prompts).toHaveLength(2)
  })

  test('gives words as they come, and a call of a tool only once it is journaled', async () => {
    const seen: string[] = []
    const heard = createGate()
    const model = scriptedModel(
      [{ text: 'let me add', calls: [{ tool: 'add', args: { a: 1, b: 1 } }] }, 'two'],
      // It says no more until somebody has heard its first words.
      { onPart: ({ type }) => (type === 'tool-call' ? heard.pass() : undefined) },
    )
    const stage = openStage({
      engines: work(async ctx => {
        const add = tool({
          inputSchema: z.object({ a: z.number(), b: z.number() }),
          execute: async ({ a, b }) => {
            const [call] = await modelCalls(stage, ctx.id)
            seen.push(call === undefined ? 'not journaled' : 'journaled')
            return a + b
          },
        })
        const { stream } = streamText({
          model: durableModel(ctx, model),
          tools: durableTools(ctx, { add }),
          prompt: 'add',
          stopWhen: isStepCount(5),
        })
        for await (const { type } of stream) if (type === 'text-delta') heard.open()
        return null
      }),
    })
    await stage.outcome(await stage.start())
    expect(seen).toEqual(['journaled'])
  })

  test('streams what it has streamed before from the journal, word for word', async () => {
    const told: string[] = []
    const texts: string[] = []
    const model = scriptedModel(['one two three'])
    const { outcome } = await twice(async ctx => {
      const durable = durableModel(ctx, model, {
        onPart: ({ type }) => {
          told.push(type)
        },
      })
      const { textStream } = streamText({ model: durable, prompt: 'count' })
      let text = ''
      for await (const delta of textStream) text += delta
      texts.push(text)
      return text
    })
    expect(outcome).toEqual({ status: 'completed', value: 'one two three' })
    expect(texts).toEqual(['one two three', 'one two three'])
    expect(told.filter(type => type === 'finish')).toHaveLength(1)
  })

  test('whose stream is cut short has not answered', async () => {
    const whole = scriptedModel(['all of it'])
    let asked = 0
    const model: ScriptedModel = {
      ...whole,
      doStream: async params => {
        if (++asked > 1) return whole.doStream(params)
        // The connection is lost before a word, which looks like an end.
        return { stream: ReadableStream.from([{ type: 'stream-start' as const, warnings: [] }]) }
      },
    }
    const stage = openStage({
      engines: work(ctx => {
        const retry = { delayMs: 0 }
        return streamText({ model: durableModel(ctx, model, { retry }), prompt: 'tell' }).text
      }),
    })
    expect(await stage.outcome(await stage.start())).toEqual({ status: 'completed', value: 'all of it' })
    expect(asked).toBe(2)
  })

  test('is heard to its end when its reader goes away', async () => {
    const model = scriptedModel(['one two three'])
    const stage = openStage({
      engines: work(async ctx => {
        const { stream } = await durableModel(ctx, model).doStream({
          prompt: [{ role: 'user', content: [{ type: 'text', text: 'count' }] }],
        })
        await stream.cancel()
        await ctx.step('meanwhile', () => null)
        return null
      }),
    })
    const id = await stage.start()
    await stage.outcome(id)
    await eventually(async () => expect(await modelCalls(stage, id)).toHaveLength(1))
  })

  test('gives back from the journal what JSON has no word for', async () => {
    const bytes = new Uint8Array([1, 2, 250])
    const answered: unknown[] = []
    const model = scriptedModel(['picture'])
    const painter: ScriptedModel = {
      ...model,
      doGenerate: async params => ({
        ...(await model.doGenerate(params)),
        content: [{ type: 'file', mediaType: 'image/png', data: { type: 'data', data: bytes } }],
        response: { timestamp: new Date(5), headers: { authorization: 'nobody’s business' } },
      }),
    }
    const { stage, id } = await twice(async ctx => {
      answered.push(await durableModel(ctx, painter).doGenerate({ prompt: [] }))
    })
    const expected = {
      content: [{ type: 'file', mediaType: 'image/png', data: { type: 'data', data: bytes } }],
      response: { timestamp: new Date(5) },
    }
    expect(answered).toEqual([expect.objectContaining(expected), expect.objectContaining(expected)])
    expect(JSON.stringify(await modelCalls(stage, id))).not.toContain('nobody’s business')
  })
})
