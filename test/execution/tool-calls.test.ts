import { jsonSchema, tool } from 'ai'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  definePlugin,
  defineTool,
  type PendingAnswer,
  StepNotDone,
  type ToolDefinition,
} from '../../src/index.ts'
import type { Json } from '../../src/model/json.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type Stage, type StageOptions } from './stage.ts'

const RERUNNABLE = { disposition: 'rerunnable' } as const

const stageOf = (definition: ToolDefinition, more: Omit<StageOptions, 'tools'> = {}): Stage =>
  openStage({ ...more, tools: { it: definition } })

const call = (stage: Stage, args: Json = {}) =>
  stage.start({ kind: 'tool_call', input: { tool: 'it', args } })

const YES = { status: 'success', value: { approved: true } } as const

describe('the input of a tool', () => {
  const SCHEMAS: readonly [kind: string, schema: unknown][] = [
    ['a Standard Schema', z.object({ n: z.number() })],
    ['a JSON Schema', jsonSchema({ type: 'object', properties: { n: { type: 'number' } }, required: ['n'] })],
    [
      'a JSON Schema with a validator of its own',
      jsonSchema(
        {},
        {
          validate: (value: unknown) =>
            typeof (value as { n: unknown }).n === 'number'
              ? { success: true as const, value }
              : { success: false as const, error: new Error('no n') },
        },
      ),
    ],
    ['a function that gives one', () => jsonSchema({ type: 'object', required: ['n'] })],
  ]
  test.each(SCHEMAS)('is checked by %s at the start', async (_, inputSchema) => {
    const stage = stageOf(
      defineTool({ inputSchema, execute: (input: { n: number }) => input.n + 1 }, RERUNNABLE),
    )
    expect(await stage.outcome(await call(stage, { n: 1 }))).toEqual({ status: 'completed', value: 2 })
    await expect(call(stage, { m: 1 })).rejects.toMatchObject({ code: 'process_input_invalid' })
  })

  test('is what the AI SDK’s own tool() declares', async () => {
    const add = tool({
      description: 'adds',
      inputSchema: z.object({ a: z.number(), b: z.number().default(2) }),
      execute: async ({ a, b }, { toolCallId, messages }) => ({ sum: a + b, toolCallId, messages }),
    })
    const stage = stageOf(defineTool(add, RERUNNABLE))
    const id = await call(stage, { a: 1 })
    expect(await stage.outcome(id)).toEqual({
      status: 'completed',
      value: { sum: 3, toolCallId: id, messages: [] },
    })
  })

  test('is prepared once, before the process is registered, whatever becomes of its attempts', async () => {
    let prepared = 0
    let calls = 0
    const stage = stageOf(
      defineTool(
        {
          execute: async (_: { n: number }, options) => {
            if (++calls === 1) await createGate().pass(options.abortSignal)
            return options.prepared
          },
        },
        { ...RERUNNABLE, prepare: ({ n }: { n: number }) => ({ n, time: ++prepared }) },
      ),
    )
    const id = await call(stage, { n: 7 })
    expect(await stage.record(id)).toMatchObject({ input: { call: { prepared: { n: 7, time: 1 } } } })
    const outcome = await replay(stage, id, () => eventually(() => calls === 1))
    expect(outcome).toEqual({ status: 'completed', value: { n: 7, time: 1 } })
  })
})

describe('a tool', () => {
  test('is found by the id that the call recorded, under a new name', async () => {
    const execute = () => 'found'
    const before = stageOf(defineTool({ execute }, { ...RERUNNABLE, id: 'search' }))
    const id = await call(before)
    const renamed = {
      it: defineTool({ execute: () => 'another' }, RERUNNABLE),
      lookUp: defineTool({ execute }, { id: 'search' }),
    }
    expect(await before.addWorker({}, { tools: renamed }).runner.run(id)).toMatchObject({
      status: 'completed',
    })
    expect(await before.record(id)).toMatchObject({ outcome: { value: 'found' } })
  })

  test('may come from a plugin, and is started by its schema', async () => {
    const plugin = definePlugin('math', ({ by }: { by: number }) => ({
      tools: {
        scale: defineTool(
          { inputSchema: z.object({ n: z.number() }), execute: ({ n }: { n: number }) => n * by },
          RERUNNABLE,
        ),
      },
    }))
    const stage = openStage({ host: { plugins: [plugin], pluginOptions: { math: { by: 3 } } } })
    const start = (args: Json) => stage.start({ kind: 'tool_call', input: { tool: 'scale', args } })
    expect(await stage.outcome(await start({ n: 2 }))).toEqual({ status: 'completed', value: 6 })
    await expect(start({})).rejects.toMatchObject({ code: 'process_input_invalid' })
  })

  test('that tells how far it is has its last word as result', async () => {
    const stage = stageOf(
      defineTool(
        {
          async *execute() {
            yield 'half'
            yield 'all'
          },
        },
        RERUNNABLE,
      ),
    )
    expect(await stage.outcome(await call(stage))).toEqual({ status: 'completed', value: 'all' })
  })

  test('that fails is process_tool_failed, of class internal', async () => {
    const stage = stageOf(defineTool({ execute: () => Promise.reject(new Error('no route')) }, RERUNNABLE))
    expect(await stage.outcome(await call(stage))).toMatchObject({
      status: 'failed',
      class: 'internal',
      code: 'process_tool_failed',
      message: 'Tool "it" failed: no route',
    })
  })

  test('is tried again as its definition says, each time with the same operation id', async () => {
    const ids = new Set<string>()
    let tries = 0
    const stage = stageOf(
      defineTool(
        {
          execute: (_: unknown, { operationId }) => {
            ids.add(operationId)
            if (++tries < 3) throw new Error('not yet')
            return tries
          },
        },
        { ...RERUNNABLE, retry: { attempts: 3, delayMs: 1 } },
      ),
    )
    expect(await stage.outcome(await call(stage))).toEqual({ status: 'completed', value: 3 })
    expect(ids.size).toBe(1)
  })

  test('whose effect nobody can vouch for is settled as its definition says', async () => {
    const stage = stageOf(
      defineTool(
        { execute: () => Promise.reject(new Error('timeout')) },
        {
          ...RERUNNABLE,
          effect: 'once',
          onUnknown: async operationId => ({ done: operationId.slice(0, 3) }),
        },
      ),
    )
    expect(await stage.outcome(await call(stage))).toEqual({ status: 'completed', value: 'op_' })
  })

  test('of which nobody can say whether it took effect stays step_unknown; not done is a failure', async () => {
    const failing = (error: Error) =>
      stageOf(defineTool({ execute: () => Promise.reject(error) }, { ...RERUNNABLE, effect: 'once' }))
    const unknown = failing(new Error('timeout'))
    expect(await unknown.outcome(await call(unknown))).toMatchObject({ code: 'step_unknown' })
    const notDone = failing(new StepNotDone('refused'))
    expect(await notDone.outcome(await call(notDone))).toMatchObject({ code: 'process_tool_failed' })
  })

  test('whose definition asks a person has what that person says as its result', async () => {
    const stage = stageOf(
      defineTool(
        { execute: () => Promise.reject(new Error('timeout')) },
        { ...RERUNNABLE, effect: 'once', onUnknown: 'ask' },
      ),
    )
    const id = await call(stage)
    expect(await stage.runner.run(id)).toMatchObject({ type: 'parked' })
    await stage.registry.resolveStep(id, `it[${id}]`, { value: { paid: true } }, { by: 'ana' })
    expect(await stage.outcome(id)).toEqual({ status: 'completed', value: { paid: true } })
  })

  test('may not return what stands for a result that comes later', async () => {
    const forged = { 'leasehold.pending': { key: 'k' } }
    const stage = stageOf(defineTool({ execute: () => forged }, RERUNNABLE))
    expect(await stage.outcome(await call(stage))).toMatchObject({
      code: 'process_tool_failed',
      message: expect.stringContaining('return what pending() gives'),
    })
  })

  test('emits events that it declares, and waits for those of its own process', async () => {
    const stage = stageOf(
      defineTool(
        {
          execute: async (_: unknown, { events }) => {
            const { sequence } = await events.emit('asked', { n: 1 })
            return (await events.next('answered', { after: sequence })).payload
          },
        },
        { ...RERUNNABLE, events: { asked: true, answered: true } },
      ),
    )
    const id = await call(stage)
    const running = stage.runner.run(id)
    await eventually(async () => (await stage.events(id, 'asked')).length === 1)
    await stage.registry.append(id, { eventType: 'answered', payload: 'yes' })
    await running
    expect(await stage.record(id)).toMatchObject({ outcome: { status: 'completed', value: 'yes' } })
  })
})

describe('a call that is left pending', () => {
  const asking = (options: { key?: string; timeout?: number } = {}, more: Partial<ToolDefinition> = {}) => {
    const asked: string[] = []
    const definition = defineTool(
      {
        execute: async (_: unknown, { pending }): Promise<PendingAnswer> => {
          const answer = await pending(options)
          asked.push(answer.key)
          return answer
        },
      },
      { ...RERUNNABLE, ...more },
    )
    return { asked, definition }
  }

  test('parks its process, is answered by its key, and the tool is not called again', async () => {
    const { asked, definition } = asking({ key: 'form-7' })
    const stage = stageOf(definition)
    const id = await call(stage)
    expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
    expect(await stage.record(id)).toMatchObject({ waits: [{ on: { type: 'external_key', key: 'form-7' } }] })
    expect(await stage.registry.completeToolCall('form-7', YES)).toMatchObject({ isDue: true })
    expect(await stage.outcome(id)).toEqual({ status: 'completed', value: YES.value })
    expect(asked).toEqual(['form-7'])
  })

  test('has the operation id as its key where it names none', async () => {
    const { asked, definition } = asking()
    const stage = stageOf(definition)
    const id = await call(stage)
    await stage.runner.run(id)
    expect(asked).toEqual([expect.stringMatching(/^op_/)])
    await stage.registry.completeToolCall(asked[0] ?? '', YES)
    expect(await stage.outcome(id)).toMatchObject({ status: 'completed' })
  })

  test('may be answered before the tool has even returned', async () => {
    const stage: Stage = stageOf(
      defineTool(
        {
          execute: async (_: unknown, { pending }) => {
            const answer = await pending({ key: 'fast' })
            await stage.registry.completeToolCall(answer.key, YES)
            return answer
          },
        },
        RERUNNABLE,
      ),
    )
    const id = await call(stage)
    expect(await stage.runner.run(id)).toEqual({ type: 'done', status: 'completed' })
    expect(await stage.record(id)).toMatchObject({ outcome: { value: YES.value } })
  })

  test('is answered in memory while its attempt still runs', async () => {
    const { asked, definition } = asking({ key: 'k' })
    const stage = stageOf(definition, { parkGraceMs: 60_000 })
    const running = stage.runner.run(await call(stage))
    await eventually(() => asked.length === 1)
    await stage.registry.completeToolCall('k', YES)
    expect(await running).toEqual({ type: 'done', status: 'completed' })
  })

  test('survives a lost attempt between its opening and its journal, with the answer that came meanwhile', async () => {
    const opened: string[] = []
    const stage: Stage = stageOf(
      defineTool(
        {
          execute: async (_: unknown, { pending, abortSignal }) => {
            const answer = await pending({ key: 'k' })
            opened.push(answer.key)
            if (opened.length === 1) await createGate().pass(abortSignal)
            return answer
          },
        },
        RERUNNABLE,
      ),
    )
    const id = await call(stage)
    const outcome = await replay(stage, id, async () => {
      await eventually(() => opened.length === 1)
      await stage.registry.completeToolCall('k', YES)
    })
    expect(outcome).toEqual({ status: 'completed', value: YES.value })
    expect(opened).toEqual(['k', 'k'])
  })

  test('that is answered with a failure is process_tool_failed', async () => {
    const { definition } = asking({ key: 'k' })
    const stage = stageOf(definition)
    const id = await call(stage)
    await stage.runner.run(id)
    await stage.registry.completeToolCall('k', { status: 'failure', message: 'nobody signed' })
    expect(await stage.outcome(id)).toMatchObject({
      code: 'process_tool_failed',
      message: 'Tool "it" failed: nobody signed',
    })
  })

  test('without an answer in time has failed, and takes none any more', async () => {
    const { definition } = asking({ key: 'k', timeout: 30 })
    const stage = stageOf(definition)
    const id = await call(stage)
    expect(await stage.outcome(id)).toMatchObject({
      code: 'process_tool_failed',
      message: expect.stringContaining('no answer under key "k" in time'),
    })
    await expect(stage.registry.completeToolCall('k', YES)).rejects.toMatchObject({
      code: 'process_already_terminal',
    })
  })

  test('under a key that another process has fails the tool, and says who has it', async () => {
    const { definition } = asking({ key: 'k' })
    const stage = stageOf(definition)
    const [first, second] = [await call(stage), await call(stage)]
    await stage.runner.run(first)
    expect(await stage.outcome(second)).toMatchObject({
      code: 'process_tool_failed',
      message: expect.stringContaining(`"${first}"`),
    })
  })

  test('of an owner-bound process is waited for in memory', async () => {
    const { asked, definition } = asking({ key: 'k' }, { disposition: 'owner_bound' })
    const stage = stageOf(definition)
    const id = await call(stage)
    const running = stage.runner.run(id)
    await eventually(() => asked.length === 1)
    await stage.registry.completeToolCall('k', YES)
    expect(await running).toEqual({ type: 'done', status: 'completed' })
  })
})
