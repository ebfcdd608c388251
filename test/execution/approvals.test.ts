import { generateText, isStepCount, tool } from 'ai'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  type ApprovalRule,
  defineTool,
  durableModel,
  durableTools,
  type ToolDefinition,
} from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/scripted-model.ts'
import { openStage, type Stage, work } from './stage.ts'

const inputSchema = z.object({ euros: z.number() })

/** A process whose model wants to pay; what it was told of that is its answer. */
function payer(options: Omit<ToolDefinition, 'tool'>, needsApproval?: boolean) {
  const paid: number[] = []
  const model = scriptedModel([
    { calls: [{ tool: 'pay', args: { euros: 5 }, id: 'call-1' }] },
    prompt => JSON.stringify(prompt.at(-1)?.content),
  ])
  const execute = async ({ euros }: { euros: number }) => {
    paid.push(euros)
    return `paid ${euros}`
  }
  const pay = tool({ inputSchema, execute, ...(needsApproval === undefined ? {} : { needsApproval }) })
  const stage = openStage({
    engines: work(async ctx => {
      const { text } = await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, { pay: defineTool(pay, { effect: 'once', ...options }) }),
        stopWhen: isStepCount(5),
        prompt: 'pay the bill',
      })
      return text
    }),
  })
  return { stage, paid, model }
}

async function asked(stage: Stage) {
  const id = await stage.start()
  expect(await stage.runner.run(id)).toMatchObject({ type: 'parked' })
  const [call] = await stage.registry.openApprovals({ processId: id })
  return { id, key: call?.key ?? expect.fail('nobody was asked'), call }
}

const value = async (stage: Stage, id: string): Promise<string> => {
  const outcome = await stage.outcome(id)
  return outcome.status === 'completed' ? String(outcome.value) : expect.fail(JSON.stringify(outcome))
}

describe('a call that people must allow', () => {
  test('is made when they have, and nothing before it runs again', async () => {
    const { stage, paid, model } = payer({ approval: {} })
    const { id, key, call } = await asked(stage)
    expect(call).toMatchObject({ approval: { callId: 'call-1', tool: 'pay', args: { euros: 5 } } })
    expect(paid).toEqual([])
    await stage.registry.vote(key, { by: 'ana', verdict: 'approve' })
    expect(await value(stage, id)).toContain('paid 5')
    expect(paid).toEqual([5])
    expect(model.prompts).toHaveLength(2)
    expect(await stage.registry.pendingCall(key)).toMatchObject({
      approval: { used: { operationId: (await stage.registry.effects(id))[0]?.operationId } },
    })
  })

  test('is not made where one of them says no, and the model hears who and why', async () => {
    const { stage, paid } = payer({ approval: {} })
    const { id, key } = await asked(stage)
    await stage.registry.vote(key, { by: 'ana', verdict: 'deny', reason: 'too much' })
    expect(await value(stage, id)).toContain('was not called: denied by ana: too much')
    expect(paid).toEqual([])
  })

  test('is not made where nobody says anything in time', async () => {
    const { stage, paid } = payer({ approval: { timeout: 30 } })
    expect(await value(stage, await stage.start())).toContain('nobody approved it in time')
    expect(paid).toEqual([])
  })

  test('is not made where the yes is taken back before', async () => {
    const { stage, paid } = payer({ approval: {} })
    const { id, key } = await asked(stage)
    await stage.registry.vote(key, { by: 'ana', verdict: 'approve' })
    await stage.registry.vote(key, { by: 'ben', verdict: 'deny' })
    expect(await value(stage, id)).toContain('it was denied by ben')
    expect(paid).toEqual([])
    expect(await stage.registry.effects(id)).toMatchObject([{ state: 'not_done' }])
  })

  test('is held to its yes where it is made of calls of the context, too', async () => {
    const begun: string[] = []
    const { stage } = payer({
      approval: {},
      orchestrate: async (_, { callId }) => {
        begun.push(callId)
        return 'begun'
      },
    })
    const [kept, lost] = [await asked(stage), await asked(stage)]
    for (const { key } of [kept, lost]) await stage.registry.vote(key, { by: 'ana', verdict: 'approve' })
    await stage.registry.vote(lost.key, { by: 'ben', verdict: 'deny' })
    expect(await value(stage, lost.id)).toContain('it was denied by ben')
    expect(await value(stage, kept.id)).toContain('begun')
    expect(begun).toEqual(['call-1'])
    expect(await stage.registry.pendingCall(kept.key)).toMatchObject({ approval: { used: {} } })
  })

  test('is not made where the yes has become too old', async () => {
    const { stage, paid } = payer({ approval: { validFor: -1 } })
    const { id, key } = await asked(stage)
    await stage.registry.vote(key, { by: 'ana', verdict: 'approve' })
    expect(await value(stage, id)).toContain('its approval was good until')
    expect(paid).toEqual([])
  })

  test('is any that the AI SDK’s own needsApproval asks for', async () => {
    const { stage, paid } = payer({}, true)
    const { id, key } = await asked(stage)
    await stage.registry.vote(key, { by: 'ana', verdict: 'approve' })
    expect(await value(stage, id)).toContain('paid 5')
    expect(paid).toEqual([5])
  })

  test('is what a function says of its arguments, and has said of them once', async () => {
    let limit = 1
    const rule = ({ euros }: { euros: number }): ApprovalRule | undefined => (euros > limit ? {} : undefined)
    const { stage, paid } = payer({ approval: rule })
    const { id, key } = await asked(stage)
    limit = 100
    // The rule has changed; this call is asked for all the same.
    expect(await stage.runner.run(id)).toMatchObject({ type: 'parked' })
    await stage.registry.vote(key, { by: 'ana', verdict: 'approve' })
    expect(await value(stage, id)).toContain('paid 5')
    const other = await stage.start({ id: 'other' })
    expect(await value(stage, other)).toContain('paid 5')
    expect(paid).toEqual([5, 5])
  })
})
