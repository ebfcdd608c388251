import { tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { definePlugin, defineTool, PhaseProbes, type ToolDefinition } from '../../src/index.ts'
import type { Json } from '../../src/model/json.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type Stage, type StageOptions } from './stage.ts'

type Generate = MockLanguageModelV4['doGenerate']
type Generated = Awaited<ReturnType<Generate>>
type Prompt = Parameters<Generate>[0]['prompt']

const usage: Generated['usage'] = {
  inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 2, text: 2, reasoning: 0 },
}

const says = (text: string, unified: Generated['finishReason']['unified'] = 'stop'): Generated => ({
  content: [{ type: 'text', text }],
  finishReason: { unified, raw: unified },
  usage,
  warnings: [],
})

const calls = (...wanted: readonly (readonly [id: string, name: string, input: Json])[]): Generated => ({
  content: wanted.map(([toolCallId, toolName, input]) => ({
    type: 'tool-call',
    toolCallId,
    toolName,
    input: JSON.stringify(input),
  })),
  finishReason: { unified: 'tool-calls', raw: 'tool-calls' },
  usage,
  warnings: [],
})

/** A model that says one thing after the other, and keeps what it was asked. */
function scripted(...script: (Generated | (() => Promise<Generated>))[]) {
  const prompts: Prompt[] = []
  const model = new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const next = script[prompts.length] ?? expect.fail('the model was asked once too often')
      prompts.push(prompt)
      return typeof next === 'function' ? next() : next
    },
  })
  return { model, prompts }
}

const stageOf = (model: MockLanguageModelV4, more: Omit<StageOptions, 'host'> & StageOptions = {}): Stage =>
  openStage({ ...more, host: { models: { default: model }, ...more.host } })

const turn = (stage: Stage, input: Record<string, unknown> = {}, more: { id?: string } = {}) =>
  stage.start({
    kind: 'session_turn',
    disposition: 'rerunnable',
    input: { prompt: 'hello', ...input },
    ...more,
  })

const add = (executed: unknown[] = []): ToolDefinition =>
  defineTool(
    tool({
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      execute: async ({ a, b }) => {
        executed.push([a, b])
        return a + b
      },
    }),
  )

const texts = (prompt: Prompt | undefined) =>
  (prompt ?? []).map(({ role, content }) => [
    role,
    typeof content === 'string'
      ? content
      : content.map(part => (part.type === 'text' ? part.text : part.type)).join(),
  ])

const messagesOf = async (stage: Stage, sessionId: string) =>
  (await stage.registry.loadSession(sessionId))?.entries.map(
    ({ message }) => (message as { role: string }).role,
  )

describe('a session turn', () => {
  test('asks the model, stores what was said, leaves its session, and ends with both ids (§6 #168)', async () => {
    const { model, prompts } = scripted(says('hi there'))
    const stage = stageOf(model)
    const id = await turn(stage)
    const sessionId = `process-session-turn:${id}`
    expect(await stage.outcome(id)).toEqual({
      status: 'completed',
      value: {
        process_id: id,
        child_session_id: sessionId,
        turn: { answer: 'hi there', steps: 1, usage: { inputTokens: 3, outputTokens: 2 } },
      },
    })
    expect(texts(prompts[0])).toEqual([['user', 'hello']])
    const loaded = await stage.registry.loadSession(sessionId)
    expect(loaded?.session).toMatchObject({ causedBy: { type: 'process', processId: id } })
    expect(loaded?.session).not.toHaveProperty('openFor')
    expect(await messagesOf(stage, sessionId)).toEqual(['user', 'assistant'])
  })

  test('calls the tools that the model asks for, side by side, and tells it what they said', async () => {
    const executed: unknown[] = []
    const { model, prompts } = scripted(
      calls(['c1', 'add', { a: 1, b: 2 }], ['c2', 'add', { a: 3, b: 4 }]),
      says('3 and 7'),
    )
    const stage = stageOf(model, { tools: { add: add(executed) } })
    const id = await turn(stage)
    expect(await stage.outcome(id)).toMatchObject({
      value: { turn: { answer: '3 and 7', steps: 2, usage: { inputTokens: 6, outputTokens: 4 } } },
    })
    expect(executed).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(prompts[1]?.at(-1)).toMatchObject({
      role: 'tool',
      content: [
        { toolCallId: 'c1', output: { type: 'json', value: 3 } },
        { toolCallId: 'c2', output: { type: 'json', value: 7 } },
      ],
    })
    const steps = (await stage.registry.journal(id)).map(({ address }) => address)
    expect(steps).toEqual(['model[1]', 'add[c1]', 'add[c2]', 'model[2]'])
    expect(await messagesOf(stage, `process-session-turn:${id}`)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
    ])
  })

  test('that is taken over repeats no model call and no tool call', async () => {
    const executed: unknown[] = []
    const gate = createGate()
    const { model, prompts } = scripted(
      calls(['c1', 'add', { a: 1, b: 2 }]),
      () => new Promise(() => {}),
      says('3'),
    )
    const stage = stageOf(model, { tools: { add: add(executed) } })
    const id = await turn(stage)
    gate.open()
    const outcome = await replay(stage, id, () => eventually(() => prompts.length === 2))
    expect(outcome).toMatchObject({ status: 'completed', value: { turn: { answer: '3', steps: 2 } } })
    expect(executed).toHaveLength(1)
    expect(prompts).toHaveLength(3)
    expect(texts(prompts[2])).toEqual(texts(prompts[1]))
    expect(await messagesOf(stage, `process-session-turn:${id}`)).toHaveLength(4)
  })

  test('waits, parked, for a tool whose result comes later', async () => {
    const ask = defineTool({ execute: (_: unknown, { pending }) => pending({ key: 'form-7' }) })
    const { model, prompts } = scripted(calls(['c1', 'ask', {}]), says('signed'))
    const stage = stageOf(model, { tools: { ask } })
    const id = await turn(stage)
    expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
    await stage.registry.completeToolCall('form-7', { status: 'success', value: { by: 'ana' } })
    expect(await stage.outcome(id)).toMatchObject({ status: 'completed' })
    expect(prompts).toHaveLength(2)
    expect(prompts[1]?.at(-1)).toMatchObject({
      content: [{ output: { type: 'json', value: { by: 'ana' } } }],
    })
  })

  test('tells the model of a tool that fails, is not there, or was called with the wrong input', async () => {
    const { model, prompts } = scripted(
      calls(['c1', 'fails', {}], ['c2', 'nothing', {}], ['c3', 'add', { a: 'x' }]),
      says('sorry'),
    )
    const fails = defineTool({ execute: () => Promise.reject(new Error('no route')) })
    const executed: unknown[] = []
    const stage = stageOf(model, { tools: { fails, add: add(executed) } })
    expect(await stage.outcome(await turn(stage))).toMatchObject({ status: 'completed' })
    const told = JSON.stringify(prompts[1])
    expect(told).toContain('Tool \\"fails\\" failed: no route')
    expect(told).toMatch(/c2.*nothing/)
    expect(told).toMatch(/c3/)
    expect(executed).toEqual([])
  })

  test('goes on with what its session holds, one turn after the other', async () => {
    const { model, prompts } = scripted(says('I am Ana'), says('you asked who I am'))
    const stage = stageOf(model)
    const session = { sessionId: 'talk' }
    await stage.outcome(await turn(stage, { prompt: 'who are you?', session }))
    await stage.outcome(await turn(stage, { prompt: 'what did I ask?', session }))
    expect(texts(prompts[1])).toEqual([
      ['user', 'who are you?'],
      ['assistant', 'I am Ana'],
      ['user', 'what did I ask?'],
    ])
    expect(await messagesOf(stage, 'talk')).toHaveLength(4)
  })

  test('holds only the active path in memory where the host says so', async () => {
    const { model, prompts } = scripted(says('fine'))
    const stage = stageOf(model, { host: { models: { default: model }, residency: 'active_path' } })
    await stage.registry.createSession({ sessionId: 'talk', turnId: 'before' })
    const user = (content: string, kind: 'message' | 'summary') => ({
      kind,
      message: { role: 'user', content },
    })
    await stage.registry.appendToSession('talk', {
      turnId: 'before',
      after: 0,
      entries: [user('long ago', 'message'), user('in short', 'summary')],
    })
    await stage.registry.leaveSession('talk', 'before')
    await stage.outcome(await turn(stage, { session: { sessionId: 'talk' } }))
    expect(texts(prompts[0])).toEqual([
      ['user', 'in short'],
      ['user', 'hello'],
    ])
  })

  test('in a session that another live turn has is process_session_create_failed; of an ended one it takes it over', async () => {
    const { model } = scripted(says('a'), says('b'))
    const stage = stageOf(model)
    const holder = await turn(stage, {}, { id: 'holder' })
    await stage.registry.createSession({ sessionId: 'talk', turnId: holder })
    const session = { sessionId: 'talk' }
    expect(await stage.outcome(await turn(stage, { session }))).toMatchObject({
      code: 'process_session_create_failed',
      message: expect.stringContaining('"holder"'),
    })
    await stage.registry.requestCancel(holder)
    await stage.outcome(holder)
    expect(await stage.outcome(await turn(stage, { session }))).toMatchObject({ status: 'completed' })
  })

  const STOPS: readonly [title: string, script: Generated[], policy: Record<string, Json>, says: string][] = [
    ['the model stops for another reason', [says('cut', 'length')], {}, 'stopped for length'],
    [
      'it needs more model calls than its policy allows',
      [calls(['c1', 'add', { a: 1, b: 1 }])],
      { maxSteps: 1 },
      'maxSteps',
    ],
    ['its policy names no model of the host', [], { model: 'big' }, 'no model "big"'],
    ['its policy names no tool of the host', [], { tools: ['fly'] }, 'no tool "fly"'],
    ['its policy is no use', [], { maxSteps: 'many' }, 'maxSteps is no use'],
  ]
  test.each(STOPS)(
    'is process_session_turn_failed where %s, and its session is free (§6 #168)',
    async (_, script, policy, reason) => {
      const { model } = scripted(...script)
      const stage = stageOf(model, { tools: { add: add() } })
      const id = await turn(stage, { session: { policy } })
      expect(await stage.outcome(id)).toMatchObject({
        status: 'failed',
        class: 'execution',
        code: 'process_session_turn_failed',
        message: expect.stringContaining(reason),
      })
      const loaded = await stage.registry.loadSession(`process-session-turn:${id}`)
      expect(loaded?.session).not.toHaveProperty('openFor')
      expect(loaded?.entries).toEqual([])
    },
  )

  test('whose model throws is process_session_turn_failed with its reason (§6 #168)', async () => {
    const { model } = scripted(() => Promise.reject(new Error('no credit left')))
    const stage = stageOf(model)
    expect(await stage.outcome(await turn(stage))).toMatchObject({
      code: 'process_session_turn_failed',
      message: expect.stringContaining('no credit left'),
    })
  })

  test('that is cancelled says so, and its session is free (§6 #168)', async () => {
    const asked = createGate()
    const model = new MockLanguageModelV4({
      doGenerate: async ({ abortSignal }) => {
        await asked.pass(abortSignal)
        return says('never')
      },
    })
    const stage = stageOf(model)
    const id = await turn(stage)
    const running = stage.runner.run(id)
    await eventually(() => asked.arrivals === 1)
    await stage.registry.requestCancel(id, 'enough')
    expect(await running).toEqual({ type: 'done', status: 'cancelled' })
    expect(await stage.record(id)).toMatchObject({
      outcome: { status: 'cancelled', message: 'The background session turn was cancelled: enough' },
    })
    expect((await stage.registry.loadSession(`process-session-turn:${id}`))?.session).not.toHaveProperty(
      'openFor',
    )
  })

  test('that its worker stops in the middle keeps its session for the attempt that goes on', async () => {
    const asked = createGate()
    const model = new MockLanguageModelV4({
      doGenerate: async ({ abortSignal }) => {
        await asked.pass(abortSignal)
        return says('done')
      },
    })
    const stage = stageOf(model)
    const id = await turn(stage)
    const shutdown = new AbortController()
    const running = stage.runner.run(id, { shutdown: shutdown.signal })
    await eventually(() => asked.arrivals === 1)
    shutdown.abort()
    expect(await running).toEqual({ type: 'released' })
    const sessionId = `process-session-turn:${id}`
    expect((await stage.registry.loadSession(sessionId))?.session).toMatchObject({ openFor: id })
    asked.open()
    expect(await stage.outcome(id)).toMatchObject({ status: 'completed' })
  })

  test('whose output contract asks for more than text has an answer that fits it', async () => {
    const output = {
      type: 'object',
      properties: { n: { type: 'number' } },
      required: ['n'],
      additionalProperties: false,
    }
    const fits = stageOf(scripted(says('{"n":7}')).model)
    expect(await fits.outcome(await turn(fits, { output }))).toMatchObject({
      value: { turn: { answer: { n: 7 } } },
    })
    for (const text of ['{"n":"7"}', 'seven']) {
      const stage = stageOf(scripted(says(text)).model)
      expect(await stage.outcome(await turn(stage, { output }))).toMatchObject({
        code: 'process_session_turn_failed',
        message: expect.stringContaining('output contract'),
      })
    }
  })

  test("uses its own policy, the host's model where it names none, and the tools that it allows", async () => {
    const { model, prompts } = scripted(says('oui'))
    const other = new MockLanguageModelV4({ doGenerate: async () => says('wrong model') })
    const stage = stageOf(model, {
      tools: { add: add(), hidden: add() },
      host: { models: { default: other, small: model }, policy: { model: 'small' } },
    })
    const policy = { instructions: 'Answer in French.', tools: ['add'] }
    expect(await stage.outcome(await turn(stage, { session: { policy } }))).toMatchObject({
      value: { turn: { answer: 'oui' } },
    })
    expect(texts(prompts[0])[0]).toEqual(['system', 'Answer in French.'])
    expect(model.doGenerateCalls[0]?.tools?.map(({ name }) => name)).toEqual(['add'])
  })

  test('runs the hooks of its plugins', async () => {
    const said: string[] = []
    const { model, prompts } = scripted(says('short'))
    const plugin = definePlugin('short', () => ({
      hooks: {
        beforeTurn: ({ sessionId }) => void said.push(`before ${sessionId}`),
        transformContext: messages => messages.slice(-1),
        afterTurn: () => {
          said.push('after')
          throw new Error('ignored')
        },
        dispose: () => void said.push('disposed'),
      },
    }))
    const stage = stageOf(model, { host: { models: { default: model }, plugins: [plugin] } })
    const messages = [
      { role: 'user', content: 'one' },
      { role: 'user', content: 'two' },
    ]
    const id = await turn(stage, { prompt: { messages } })
    expect(await stage.outcome(id)).toMatchObject({ status: 'completed' })
    expect(texts(prompts[0])).toEqual([['user', 'two']])
    expect(said).toEqual([`before process-session-turn:${id}`, 'after', 'disposed'])
    expect(await messagesOf(stage, `process-session-turn:${id}`)).toHaveLength(3)
  })

  const INPUTS: readonly [input: unknown, says: string][] = [
    [{ prompt: 7 }, 'is a text'],
    [{ prompt: { messages: [] } }, 'at least one'],
    [{ prompt: { messages: [{ role: 'system', content: 'x' }] } }, 'messages[0]'],
    [{}, 'is a text'],
    [{ prompt: 'x', session: { model: 'y' } }, 'session'],
  ]
  test.each(INPUTS)('with the input %j is refused at its start', async (input, reason) => {
    const stage = stageOf(scripted().model)
    const start = stage.start({ kind: 'session_turn', disposition: 'rerunnable', input })
    await expect(start).rejects.toMatchObject({
      code: 'process_input_invalid',
      message: expect.stringContaining(reason),
    })
  })

  test('stores no secret of its policy, and states its disposition', async () => {
    const stage = stageOf(scripted().model)
    await expect(turn(stage, { session: { policy: { apiKey: 'hunter2' } } })).rejects.toMatchObject({
      code: 'process_env_secret',
    })
    await expect(stage.start({ kind: 'session_turn', input: { prompt: 'x' } })).rejects.toMatchObject({
      code: 'disposition_required',
    })
  })
})

describe('a phase probe', () => {
  const probed = async (scope: { sessionId: string; agentFrameId?: string }, watched: object) => {
    const phases: string[] = []
    const probes = new PhaseProbes()
    probes.set(scope, {
      begin: phase => void phases.push(phase),
      end: () => {
        throw new Error('ignored')
      },
    })
    const stage = stageOf(scripted(says('hi')).model, { probes })
    const id = await turn(stage)
    const record = await stage.record(id)
    const other = await stage.registry.register({
      id: 'probed',
      input: record.input,
      disposition: 'rerunnable',
      provenance: { originator: { type: 'host' } },
      ...watched,
    })
    expect(await stage.outcome(other.record.id)).toMatchObject({ status: 'completed' })
    return phases
  }
  const PHASES = [
    'before_turn',
    'effect_loop',
    'context_transform',
    'prompt_build',
    'finalize',
    'persist',
    'final_commit',
    'after_persist',
  ]
  const wakeTarget = { sessionId: 's', agentFrameId: 'f' }
  const originator = { provenance: { originator: { type: 'session', scope: { sessionId: 's' } } } }

  test.each([
    ['of the wake target’s frame', wakeTarget, { wakeTarget }],
    ['of the wake target’s session', { sessionId: 's' }, { wakeTarget }],
    ['of the originator, where nobody is woken', { sessionId: 's' }, originator],
  ])('%s hears of every phase, and changes nothing (§6 #169)', async (_, scope, watched) => {
    expect(await probed(scope, watched)).toEqual(PHASES)
  })

  test.each([
    ['of another session', { sessionId: 'x' }, { wakeTarget }],
    [
      'of the originator, where another session is woken',
      { sessionId: 's' },
      { ...originator, wakeTarget: { sessionId: 'w' } },
    ],
    ['without a session to watch', { sessionId: 's' }, {}],
  ])('%s hears nothing (§6 #169)', async (_, scope, watched) => {
    expect(await probed(scope, watched)).toEqual([])
  })
})
