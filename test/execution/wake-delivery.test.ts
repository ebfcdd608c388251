import { MockLanguageModelV4 } from 'ai/test'
import { describe, expect, onTestFinished, test } from 'vitest'
import { deliverWakes } from '../../src/execution/deliver-wakes.ts'
import { InlineRunHandle } from '../../src/execution/inline-run-handle.ts'
import { defineEngine, type Wake, type WakeReceipt, type WakeSink } from '../../src/index.ts'
import { WakeDeliverer } from '../../src/maintenance/wake-deliverer.ts'
import { OUTBOX } from '../../src/model/outbox.ts'
import { wakeDraft } from '../../src/model/wake.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { deliverToInbox } from '../../src/runtime/session-inbox.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { eventually } from '../support/eventually.ts'
import { createGate, type Gate } from '../support/gate.ts'
import { openStage, type Stage } from './stage.ts'

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** Says `heard`, once the gate is open. */
const listening = (gate?: Gate) =>
  new MockLanguageModelV4({
    doGenerate: async () => {
      await gate?.pass()
      const content = [{ type: 'text', text: 'heard' }] as const
      return { content: [...content], finishReason: { unified: 'stop', raw: undefined }, usage, warnings: [] }
    },
  })

/** Tells its session each thing that it is given, and how it ended. */
const teller = defineEngine({
  disposition: 'rerunnable',
  events: { news: true },
  wakes: { news: { input: 'payload' }, 'process.completed': { input: { const: 'done' } } },
  async run(ctx) {
    for (const news of ctx.input as unknown as string[]) await ctx.emit('news', news)
  },
})

function openStageOf({ wakes, model = listening() }: { wakes?: WakeSink; model?: MockLanguageModelV4 } = {}) {
  const clock = createManualClock(Date.now())
  const stage = openStage({
    store: createMemoryStore({ clock: clock.now }),
    engines: { teller },
    host: { models: { default: model }, ...(wakes === undefined ? {} : { wakes }) },
  })
  const { environment } = stage.addWorker()
  return { stage, clock, environment, deliver: () => deliverWakes(environment) }
}

const SESSION = { sessionId: 's' }

const tell = async (stage: Stage, id: string, ...input: string[]): Promise<void> => {
  await stage.start({ kind: 'teller', id, input, session: SESSION })
  await stage.outcome(id)
}

/** A sink that keeps what it is given, and answers from the list, in the end always with a receipt. */
function keeping(...answers: (WakeReceipt | Error)[]) {
  const taken: Wake[] = []
  const wakes: WakeSink = {
    deliver: wake => {
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      if (answer === undefined || answer === 'enqueued') taken.push(wake)
      return answer ?? 'enqueued'
    },
  }
  return { wakes, taken, inputs: () => taken.map(({ processId, input }) => `${processId}: ${input}`) }
}

const openSession = async ({ registry }: Stage): Promise<void> => {
  await registry.createSession({ ...SESSION, turnId: 'host', policy: { instructions: 'listen' } })
  await registry.leaveSession('s', 'host')
}

/** What users said in the session, in order. */
const said = async ({ registry }: Stage) =>
  ((await registry.loadSession('s'))?.entries ?? [])
    .map(({ message }) => message as { role: string; content: string })
    .filter(({ role }) => role === 'user')
    .map(({ content }) => content.split('\n\n').at(-1))

const turnsOf = async (stage: Stage) =>
  (await stage.registry.list({ status: 'any' })).records.filter(({ input }) => input.type === 'session_turn')

/** From now on what is due runs, until the test is over. */
function runsDue(stage: Stage): void {
  const { environment, runner } = stage.addWorker()
  const handle = new InlineRunHandle(environment, runner)
  onTestFinished(() => handle.drain())
  handle.start()
}

const runTurns = async (stage: Stage): Promise<void> => {
  runsDue(stage)
  for (const { id } of await turnsOf(stage)) await stage.registry.awaitOutcome(id)
}

describe("a host's own sink", () => {
  test('hears of each wake with its text and source key, those of one process in order', async () => {
    const { wakes, taken, inputs } = keeping()
    const { stage, deliver } = openStageOf({ wakes })
    await tell(stage, 'p', 'a', 'b')
    expect(await deliver()).toEqual({ enqueued: 3, retried: 0, discarded: [] })
    expect(inputs()).toEqual(['p: a', 'p: b', 'p: done'])
    expect(taken[0]).toMatchObject({
      targetSessionId: 's',
      attempt: 1,
      draft: { sourceKey: `process:p:event:${taken[0]?.sequence}:wake`, boundary: 'earliest_safe' },
    })
    expect(taken[0]?.draft.text).toContain('Background process wake')
    expect(await deliver()).toMatchObject({ enqueued: 0 })
  })

  test('that throws, or cannot take it now, is asked again later, and nothing comes before it (§6 #58)', async () => {
    const { wakes, taken, inputs } = keeping(new Error('no network'), 'not_now')
    const { stage, clock, deliver } = openStageOf({ wakes })
    await tell(stage, 'p', 'a', 'b')
    expect(await deliver()).toMatchObject({ enqueued: 0, retried: 1 })
    clock.advance(OUTBOX.retryAfterMs(1))
    expect(await deliver()).toMatchObject({ enqueued: 0, retried: 1 })
    clock.advance(OUTBOX.retryAfterMs(2))
    expect(await deliver()).toMatchObject({ enqueued: 3 })
    expect(inputs()).toEqual(['p: a', 'p: b', 'p: done'])
    expect(taken.map(({ attempt }) => attempt)).toEqual([3, 1, 1])
  })

  test('says that a session is gone: its group is blocked and named, until it is redriven (§6 #60, #61)', async () => {
    const { wakes, inputs } = keeping('target_gone')
    const { stage, deliver } = openStageOf({ wakes })
    await tell(stage, 'p', 'a')
    const { discarded } = await deliver()
    expect(discarded).toMatchObject([{ sessionId: 's', processId: 'p', reason: 'target_gone' }])
    expect(inputs()).toEqual([])
    await stage.registry.redriveWake(discarded[0]?.wakeId ?? '')
    expect(await deliver()).toMatchObject({ enqueued: 2 })
    expect(inputs()).toEqual(['p: a', 'p: done'])
  })

  test('says that the session had heard of it: that blocks nothing (§6 #60)', async () => {
    const { wakes, inputs } = keeping('sequence_rewound')
    const { stage, deliver } = openStageOf({ wakes })
    await tell(stage, 'p', 'a')
    expect(await deliver()).toMatchObject({ enqueued: 1, discarded: [{ reason: 'sequence_rewound' }] })
    expect(inputs()).toEqual(['p: done'])
    expect(await stage.registry.blockedGroups()).toEqual([])
  })

  test('that never answers is left when its worker stops, and the wake goes to the next one', async () => {
    const asked = createGate()
    const hanging: WakeSink = {
      deliver: async (): Promise<WakeReceipt> => {
        await asked.pass()
        return 'enqueued'
      },
    }
    const { stage, clock, environment } = openStageOf({ wakes: hanging })
    await tell(stage, 'p', 'a')
    const stop = new AbortController()
    const delivering = deliverWakes(environment, stop.signal)
    await eventually(() => expect(asked.arrivals).toBe(1))
    stop.abort(new Error('The worker stops.'))
    expect(await delivering).toMatchObject({ enqueued: 0, retried: 1 })
    clock.advance(OUTBOX.retryAfterMs(1))
    const { wakes, inputs } = keeping()
    const other = stage.addWorker({}, { wakes })
    expect(await deliverWakes(other.environment)).toMatchObject({ enqueued: 2 })
    expect(inputs()).toEqual(['p: a', 'p: done'])
  })

  test('may hand on to the inbox what it does not take itself', async () => {
    const wakes: WakeSink = { deliver: (wake, { inbox }) => (wake.input === 'a' ? inbox(wake) : 'enqueued') }
    const { stage, deliver } = openStageOf({ wakes })
    await openSession(stage)
    await tell(stage, 'p', 'a')
    expect(await deliver()).toMatchObject({ enqueued: 2 })
    await runTurns(stage)
    expect(await said(stage)).toEqual(['a'])
  })

  test('that answers something else is told so, and asked again', async () => {
    const answers: unknown[] = [undefined, 'yes']
    const deliver = () => (answers.length > 0 ? answers.shift() : 'enqueued') as WakeReceipt
    const { stage, clock, ...world } = openStageOf({ wakes: { deliver } })
    await tell(stage, 'p')
    expect(await world.deliver()).toMatchObject({ retried: 1 })
    clock.advance(OUTBOX.retryAfterMs(1))
    expect(await world.deliver()).toMatchObject({ retried: 1 })
    clock.advance(OUTBOX.retryAfterMs(2))
    expect(await world.deliver()).toMatchObject({ enqueued: 1 })
  })

  test('needs a deliver function', () => {
    expect(() => openStageOf({ wakes: {} as WakeSink })).toThrow('without a deliver function')
  })
})

describe('the inbox of a session', () => {
  test('is a turn of the session for each wake, in order, with where it comes from', async () => {
    const { stage, deliver } = openStageOf()
    await openSession(stage)
    await tell(stage, 'p', 'a', 'b')
    expect(await deliver()).toMatchObject({ enqueued: 3 })
    const wakes = await stage.registry.wakesOf('p')
    for (const { delivery } of wakes) {
      expect(await stage.registry.get(delivery.wakeId)).toMatchObject({
        disposition: 'rerunnable',
        wakeTarget: SESSION,
        provenance: {
          originator: { type: 'session', scope: SESSION },
          causedBy: { type: 'process_event', processId: 'p', sequence: delivery.sequence },
        },
        input: { createRequest: { sessionId: 's', policy: { instructions: 'listen' } } },
      })
    }
    await runTurns(stage)
    expect(await said(stage)).toEqual(['a', 'b', 'done'])
  })

  test('is told once, though its worker heard nothing of that (§6 #58)', async () => {
    let isLost = true
    const wakes: WakeSink = {
      deliver: async (wake, { inbox }) => {
        const receipt = await inbox(wake)
        if (!isLost) return receipt
        isLost = false
        throw new Error('the answer was lost')
      },
    }
    const { stage, clock, deliver } = openStageOf({ wakes })
    await openSession(stage)
    await tell(stage, 'p', 'a')
    expect(await deliver()).toMatchObject({ retried: 1 })
    await runTurns(stage)
    clock.advance(OUTBOX.retryAfterMs(1))
    expect(await deliver()).toMatchObject({ enqueued: 2 })
    await runTurns(stage)
    expect(await said(stage)).toEqual(['a', 'done'])
  })

  test('takes a wake as told whose turn has ended and was pruned', async () => {
    const { stage, clock, deliver } = openStageOf()
    await openSession(stage)
    await tell(stage, 'p', 'a')
    const [claim] = (await stage.registry.claimWakes({ limit: 1 })).claims
    if (claim === undefined) expect.fail('no wake is due')
    await stage.registry.settleWake(claim, { type: 'retry' })
    clock.advance(OUTBOX.retryAfterMs(1))
    await deliver()
    await runTurns(stage)
    clock.advance(1)
    await stage.registry.prune({ before: clock.now() })
    expect(await turnsOf(stage)).toEqual([])
    const { delivery } = claim
    const again = stage.addWorker().environment
    const wake = { ...delivery, draft: wakeDraft(delivery), attempt: 2 }
    expect(await deliverToInbox(again.host, stage.registry, wake)).toBe('enqueued')
    expect(await turnsOf(stage)).toEqual([])
    expect(await said(stage)).toEqual(['a', 'done'])
  })

  test('waits for a turn that is running, and no turn is lost', async () => {
    const gate = createGate()
    const { stage, deliver } = openStageOf({ model: listening(gate) })
    const input = { prompt: 'first', session: SESSION }
    await stage.start({ kind: 'session_turn', id: 'first', disposition: 'rerunnable', input })
    const first = stage.runner.run('first')
    await eventually(async () => expect(await stage.registry.loadSession('s')).toBeDefined())
    await tell(stage, 'p', 'a', 'b')
    expect(await deliver()).toMatchObject({ enqueued: 3 })
    const turns = (await turnsOf(stage)).filter(({ id }) => id !== 'first')
    runsDue(stage)
    await eventually(async () => {
      for (const { id } of turns) expect((await stage.record(id)).waits).toHaveLength(1)
    })
    gate.open()
    await first
    for (const { id } of turns)
      expect(await stage.registry.awaitOutcome(id)).toMatchObject({ status: 'completed' })
    expect(await said(stage)).toEqual(['first', 'a', 'b', 'done'])
  })

  test('of a session that was never there is tried again, of one that was deleted given up (§6 #57, #61)', async () => {
    const { stage, clock, deliver } = openStageOf()
    await tell(stage, 'p', 'a')
    expect(await deliver()).toMatchObject({ retried: 1, discarded: [] })
    clock.advance(OUTBOX.retryAfterMs(1))
    await openSession(stage)
    await stage.registry.deleteSession('s')
    const report = await deliver()
    expect(report).toMatchObject({ retried: 0, discarded: [{ reason: 'target_gone' }] })
    // Made anew and redriven, it is told all the same.
    await openSession(stage)
    await stage.registry.redriveWake(report.discarded[0]?.wakeId ?? '')
    expect(await deliver()).toMatchObject({ enqueued: 2 })
    await runTurns(stage)
    expect(await said(stage)).toEqual(['a', 'done'])
  })

  test('of a session that is closed is given up, and goes to another one where somebody sends it there', async () => {
    const { stage, deliver } = openStageOf()
    await openSession(stage)
    await stage.registry.closeSession('s')
    await tell(stage, 'p', 'a', 'b')
    expect(await deliver()).toMatchObject({ enqueued: 0, discarded: [{ reason: 'target_closed' }] })
    expect(await stage.registry.blockedGroups()).toMatchObject([
      { sessionId: 's', processId: 'p', reason: 'target_closed', waiting: 2 },
    ])
    await stage.registry.forkSession('s', { id: 'f' })
    expect(await stage.registry.retargetWakes('p', 's', { sessionId: 'f' })).toBe(3)
    expect(await deliver()).toMatchObject({ enqueued: 3, discarded: [] })
  })

  test('of a session that could not be told in time is given up (§6 #61)', async () => {
    const { stage, clock, deliver } = openStageOf()
    await tell(stage, 'p', 'a')
    clock.advance(OUTBOX.expiryMs)
    expect(await deliver()).toMatchObject({ enqueued: 0, discarded: [{ reason: 'expired' }] })
  })
})

test('a worker hands a wake over as soon as its event is appended', async () => {
  const { wakes, inputs } = keeping()
  const { stage, environment } = openStageOf({ wakes })
  const deliverer = new WakeDeliverer(environment)
  onTestFinished(() => deliverer.stop())
  deliverer.start()
  await tell(stage, 'p', 'a', 'b')
  await eventually(() => expect(inputs()).toEqual(['p: a', 'p: b', 'p: done']))
})

describe('what wakes is declared', () => {
  test('by the kind, or by the start in its place', async () => {
    const { wakes, inputs } = keeping()
    const { stage, deliver } = openStageOf({ wakes })
    const own = { news: { input: { const: 'something' } }, 'process.completed': { when: { const: false } } }
    await stage.start({
      kind: 'teller',
      id: 'p',
      input: ['a'],
      session: SESSION,
      wakes: { news: own.news, 'process.completed': { ...own['process.completed'], input: 'payload' } },
    })
    await stage.outcome('p')
    await deliver()
    expect(inputs()).toEqual(['p: something'])
  })

  test('for event types that there are', async () => {
    const { stage } = openStageOf()
    const wakes = { nonsense: { input: 'payload' } } as const
    const start = stage.start({ kind: 'teller', input: [], wakes })
    await expect(start).rejects.toThrow('Nothing can wake by event type "nonsense"')
    const engine = { ...teller, wakes }
    expect(() => openStage({ engines: { engine } })).toThrow('wakes by "nonsense", which it does not declare')
  })
})
