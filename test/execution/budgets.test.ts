import { generateText, isStepCount, tool } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Budget, durableModel, durableTools, type ProcessContext } from '../../src/index.ts'
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
