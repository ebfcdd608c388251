import { once } from 'node:events'
import { generateText, isStepCount, tool } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  type Budget,
  defineTool,
  durableModel,
  durableTools,
  type ProcessContext,
  type ToolDefinition,
} from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/scripted-model.ts'
import { openStage, work } from './stage.ts'

/** A model that never stops calling, each time with other arguments. */
function endless() {
  let made = 0
  const model = scriptedModel(
    Array.from({ length: 99 }, (_, n) => ({ calls: [{ tool: 'look', args: { n } }] })),
  )
  const run = async (ctx: ProcessContext) => {
    const look = tool({ inputSchema: z.object({ n: z.number() }), execute: async () => ++made })
    const { text } = await generateText({
      model: durableModel(ctx, model, { price: { input: 1, output: 1_000 } }),
      tools: durableTools(ctx, { look }),
      maxOutputTokens: 100,
      stopWhen: isStepCount(99),
      prompt: 'look around',
    })
    return text
  }
  return { model, run, made: () => made }
}

test.each<Budget>([
  { modelCalls: 3 },
  { toolCalls: 2 },
  { tokens: 600 },
  { costUsd: 0.112 },
  { wallTimeMs: 0 },
])('a process with the budget %j ends as failed before it spends more', async budget => {
  const { model, run, made } = endless()
  const stage = openStage({ engines: work(run), host: { policy: { budget: { ...budget } } } })
  const id = await stage.start()
  const [[limit, allowed] = ['', 0]] = Object.entries(budget)
  expect(await stage.outcome(id)).toMatchObject({
    status: 'failed',
    code: 'process_budget_exceeded',
    message: expect.stringContaining(limit),
  })
  const spent = (await stage.registry.budget(id))?.spent
  expect(spent).toMatchObject({ modelCalls: model.prompts.length, toolCalls: made() })
  if (limit !== 'wallTimeMs') expect(Reflect.get(spent ?? {}, limit)).toBeLessThanOrEqual(allowed)
})

test('children spend of their parent’s budget', async () => {
  const { model, run } = endless()
  const stage = openStage({
    engines: {
      ...work(async ctx => {
        const child = await ctx.start({ kind: 'child', id: `${ctx.id}.child` })
        return child.id
      }),
      child: { disposition: 'rerunnable', run },
    },
    host: { policy: { budget: { modelCalls: 2 } } },
  })
  const id = await stage.start()
  await stage.outcome(id)
  expect(await stage.outcome(`${id}.child`)).toMatchObject({ code: 'process_budget_exceeded' })
  expect(model.prompts).toHaveLength(2)
  expect(await stage.registry.budget(id)).toMatchObject({ spent: { modelCalls: 2 } })
})

/** A call without a signal would wait for ever. */
const STOPPED = AbortSignal.abort()

test('a call that is being made when the time is over is stopped, and the process ends for its budget', async () => {
  const model = scriptedModel(
    Array.from({ length: 2 }, () => ({ calls: [{ tool: 'work', args: {}, id: 'call-1' }] })),
  )
  const heard: string[] = []
  const calling = (options: Omit<ToolDefinition, 'tool'>, untilStopped: (signal: AbortSignal) => unknown) =>
    async function run(ctx: ProcessContext) {
      const execute = (_: unknown, { abortSignal = STOPPED }: { readonly abortSignal?: AbortSignal }) => {
        abortSignal.addEventListener('abort', () => heard.push(ctx.id))
        return untilStopped(abortSignal)
      }
      const work = defineTool(tool({ inputSchema: z.object({}), execute }), options)
      const { text } = await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, { work }),
        stopWhen: isStepCount(9),
        prompt: ctx.id,
      })
      return text
    }
  const polite = (signal: AbortSignal) =>
    once(signal, 'abort').then(() => Promise.reject(new Error('stopped')))
  const deaf = () => new Promise(() => {})
  const engines = {
    polite: calling({ retry: { attempts: 9, delayMs: 60_000 } }, polite),
    deaf: calling({}, deaf),
    once: calling({ effect: 'once' }, polite),
    async model(ctx: ProcessContext) {
      const silent = {
        ...model,
        doGenerate: ({ abortSignal = STOPPED }: { readonly abortSignal?: AbortSignal }) =>
          polite(abortSignal),
      }
      await generateText({ model: durableModel(ctx, silent), prompt: 'say something' })
    },
  }
  const stage = openStage({
    engines: Object.fromEntries(
      Object.entries(engines).map(([kind, run]) => [kind, { disposition: 'rerunnable' as const, run }]),
    ),
    host: { policy: { budget: { wallTimeMs: 1_500 } } },
  })
  const ended = await Promise.all(
    Object.keys(engines).map(async kind => stage.outcome(await stage.start({ id: kind, kind }))),
  )
  const exceeded = { status: 'failed', code: 'process_budget_exceeded' }
  const stopped = { ...exceeded, message: expect.stringContaining('allows 1500 of wallTimeMs') }
  expect(ended).toMatchObject([
    stopped,
    stopped,
    // Nobody knows whether it has happened; the model is not asked any more.
    { ...exceeded, raw: { unknownEffects: [{ step: 'work[call-1]' }] } },
    stopped,
  ])
  expect(heard.sort()).toEqual(['deaf', 'once', 'polite'])
  // The prompt of the stopped call is paid for, and not the answer.
  const spent = await stage.registry.budget('model')
  expect(spent).toMatchObject({ reserved: {}, spent: { modelCalls: 1, tokens: expect.any(Number) } })
  expect(spent?.spent.tokens).toBeLessThan(4_096)
  expect(spent?.spent.tokens).toBeGreaterThan(0)
})

test('calls of tools that are made of calls of the context count as well, once over all attempts', async () => {
  let begun = 0
  const orchestrated = defineTool(
    { inputSchema: z.object({}), execute: () => expect.fail('it has no execute of its own') },
    {
      orchestrate: async (_, { ctx }) => {
        begun++
        await ctx.sleep(300)
        return 'slept'
      },
    },
  )
  const model = scriptedModel(Array.from({ length: 9 }, () => ({ calls: [{ tool: 'nap', args: {} }] })))
  const stage = openStage({
    engines: work(async ctx => {
      await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, { nap: orchestrated }),
        stopWhen: isStepCount(9),
        prompt: 'sleep',
      })
    }),
    parkGraceMs: 0,
    host: { policy: { budget: { toolCalls: 2 } } },
  })
  const id = await stage.start()
  expect(await stage.outcome(id)).toMatchObject({ code: 'process_budget_exceeded' })
  expect((await stage.record(id)).attempts).toBeGreaterThan(1)
  expect(await stage.registry.budget(id)).toMatchObject({ spent: { toolCalls: 2 } })
  expect(begun).toBeGreaterThan(2)
})
