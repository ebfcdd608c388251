import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { generateText, isStepCount, tool } from 'ai'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineTool, durableModel, durableTools, type Outcome, type ToolDefinition } from '../../src/index.ts'
import type { Json } from '../../src/model/json.ts'
import type { ToolTable } from '../../src/runtime/plugin.ts'
import { type ScriptedStep, scriptedModel } from '../../src/testing/scripted-model.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type Stage, work } from './stage.ts'

const CALL: ScriptedStep = { calls: [{ tool: 'it', args: { n: 1 } }] }

/** What the model was told last, as JSON text. */
const TOLD: ScriptedStep = prompt => JSON.stringify(prompt.at(-1)?.content)

/** A process that lets a model call tools; its answer is what the model was told of the last one. */
function agentOf(tools: ToolTable, script: readonly ScriptedStep[] = [CALL, TOLD]) {
  const model = scriptedModel(script)
  const stage: Stage = openStage({
    engines: work(async ctx => {
      const { text } = await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, tools),
        stopWhen: isStepCount(50),
        prompt: 'go',
      })
      return text
    }),
  })
  return { stage, model }
}

async function told(tools: ToolTable, script?: readonly ScriptedStep[]): Promise<string> {
  const { stage } = agentOf(tools, script)
  return textOf(await stage.outcome(await stage.start()))
}

const textOf = (outcome: Outcome): string =>
  outcome.status === 'completed' ? String(outcome.value) : expect.fail(JSON.stringify(outcome))

const it = (
  execute: (input: { n: number }, options: { abortSignal?: AbortSignal }) => unknown,
  options: Omit<ToolDefinition, 'tool'> = {},
) => ({
  it: defineTool(
    tool({
      inputSchema: z.object({ n: z.number() }),
      execute: async (input, more) => execute(input, more) as Json,
    }),
    options,
  ),
})

describe('what the model is told of a call', () => {
  test('a tool that throws has failed', async () => {
    expect(await told(it(() => Promise.reject(new Error('no route'))))).toContain(
      'Tool \\"it\\" failed: no route',
    )
  })

  test('arguments that do not fit are answered, and the tool is not called', async () => {
    let calls = 0
    const answer = await told(
      it(() => ++calls),
      [{ calls: [{ tool: 'it', args: { n: 'one' } }] }, TOLD],
    )
    expect(answer).toContain('error-text')
    expect(calls).toBe(0)
  })

  test('arguments that are no JSON, and a tool that nobody has, are answered as well', async () => {
    for (const calls of [[{ tool: 'it', args: '{ "n": ' }], [{ tool: 'nobody', args: {} }]]) {
      expect(
        await told(
          it(() => null),
          [{ calls }, TOLD],
        ),
      ).toContain('error-text')
    }
  })

  test('a long result is shown by its beginning and its end, and kept whole', async () => {
    const long = `first ${'x'.repeat(200_000)} last`
    const { stage } = agentOf(it(() => long, { shownChars: 1_000 }))
    const id = await stage.start()
    const answer = textOf(await stage.outcome(id))
    expect(answer.length).toBeLessThan(2_000)
    expect(answer).toMatch(/first x+.*199011 of 200011 characters left out.*x+ last/)
    const kept = (await stage.registry.journal(id)).find(({ address }) => address.startsWith('it['))
    expect(kept?.value).toBe(long)
  })

  test('a tool has its own way to say what it came to', async () => {
    const own = tool({
      inputSchema: z.object({ n: z.number() }),
      execute: async () => 41,
      toModelOutput: ({ output }) => ({ type: 'text', value: `it is ${output + 1}` }),
    })
    expect(await told({ it: own })).toContain('it is 42')
  })

  test('a schema may make of the arguments what no JSON is', async () => {
    const on = tool({
      inputSchema: z.object({ n: z.number().transform(ms => new Date(ms)) }),
      execute: async ({ n }) => n.toISOString(),
    })
    expect(await told({ it: on })).toContain('1970-01-01T00:00:00.001Z')
  })
})

describe('a call whose outcome nobody knows', () => {
  test('that took longer than its time is unknown where it may happen once, and failed where it may be repeated', async () => {
    const stuck = () => new Promise(() => {})
    expect(await told(it(stuck, { effect: 'once', timeout: 20 }))).toContain('is unknown')
    expect(await told(it(stuck, { effect: 'repeatable', timeout: 20 }))).toContain(
      'took longer than its limit',
    )
  })
})

test('the same call again and again is answered without the tool, and ends the process if it does not stop', async () => {
  let calls = 0
  const { stage } = agentOf(
    it(() => ++calls),
    Array.from({ length: 40 }, () => CALL),
  )
  expect(await stage.outcome(await stage.start())).toMatchObject({
    status: 'failed',
    code: 'process_call_repeated',
  })
  expect(calls).toBe(8)
})

test('calls under an id that another call had are calls of their own', async () => {
  const seen: number[] = []
  const call = (n: number): ScriptedStep => ({ calls: [{ tool: 'it', args: { n }, id: 'call-0' }] })
  await told(
    it(({ n }) => seen.push(n)),
    [call(1), call(2), TOLD],
  )
  expect(seen).toEqual([1, 2])
})

test('code that goes another way than its journal ends the process, though the SDK takes every error for an answer', async () => {
  let changed = false
  const gate = createGate()
  const model = scriptedModel([{ calls: [{ tool: 'it', args: { n: 1 }, id: 'c' }] }, 'done'])
  const stage = openStage({
    engines: work(async ctx => {
      const { text } = await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(
          ctx,
          it(() => 1, { effect: changed ? 'once' : 'repeatable' }),
        ),
        stopWhen: isStepCount(5),
        prompt: 'go',
      })
      if (ctx.attempt === 1) await gate.pass(ctx.signal)
      return text
    }),
  })
  const id = await stage.start()
  const outcome = await replay(stage, id, async () => {
    await eventually(() => expect(gate.arrivals).toBe(1))
    changed = true
  })
  expect(outcome).toMatchObject({ status: 'failed', code: 'process_recovery_failed' })
})

test.each(['a cancel', 'the time limit'])(
  '%s ends what the tool has started, and what that started',
  async by => {
    const pids = Promise.withResolvers<readonly number[]>()
    const { stage } = agentOf(
      it(
        () => {
          const { promise, reject } = Promise.withResolvers<never>()
          // The shell's own child would outlive the shell.
          const child = execFile('/bin/sh', ['-c', 'sleep 600 & echo $!; wait'], reject)
          child.stdout?.once('data', line => pids.resolve([child.pid ?? 0, Number(line)]))
          return promise
        },
        by === 'the time limit' ? { timeout: 1_000 } : {},
      ),
    )
    const id = await stage.start()
    const running = stage.runner.run(id)
    const started = await pids.promise
    if (by === 'a cancel') await stage.registry.requestCancel(id, 'stop')
    await eventually(() => expect(started.filter(isRunning)).toEqual([]))
    await running
  },
)

/** A zombie has ended; whoever is to reap it may take its time. */
function isRunning(pid: number): boolean {
  try {
    return !/^\S+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
