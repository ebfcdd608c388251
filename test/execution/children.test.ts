import { expect, test } from 'vitest'
import { InlineRunHandle } from '../../src/execution/inline-run-handle.ts'
import type { ProcessContext } from '../../src/index.ts'
import { environmentRef } from '../../src/runtime/environment.ts'
import type { EngineTable } from '../../src/runtime/host.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, type Stage } from './stage.ts'

const engines = (parent: (ctx: ProcessContext) => unknown, rest: EngineTable = {}): EngineTable => ({
  work: { disposition: 'rerunnable', run: parent },
  child: {
    disposition: 'rerunnable',
    events: { 'signal.go': { type: 'object' } },
    run: ctx => ctx.input,
  },
  ...rest,
})

test('a child runs by itself, and its outcome comes back to its parent', async () => {
  const stage = openStage({
    engines: engines(async ctx => {
      const child = await ctx.start({ kind: 'child', input: 7 })
      return [child.id, child.started, await child.outcome()]
    }),
  })
  const id = await stage.start({ id: 'parent' })
  expect(await stage.runner.run(id)).toEqual({ type: 'parked' })
  await stage.outcome('parent.child.1')
  expect(await stage.outcome(id)).toEqual({
    status: 'completed',
    value: ['parent.child.1', true, { status: 'completed', value: 7 }],
  })
})

test('children are numbered by kind, or named by their keys', async () => {
  const stage = openStage({
    engines: engines(async ctx => {
      const ids = []
      for (let nth = 0; nth < 2; nth++) ids.push((await ctx.start({ kind: 'child' })).id)
      const keyed = await Promise.all(['left', 'right'].map(key => ctx.start({ kind: 'child' }, { key })))
      const named = await Promise.all(['a', 'b'].map(id => ctx.start({ kind: 'child', id })))
      return [...ids, ...[...keyed, ...named].map(child => child.id)]
    }),
  })
  expect(await stage.outcome(await stage.start({ id: 'p' }))).toMatchObject({
    value: ['p.child.1', 'p.child.2', 'p.child.left', 'p.child.right', 'a', 'b'],
  })
})

test('two children of one kind at once need keys or ids', async () => {
  const start = (ctx: ProcessContext) => ctx.start({ kind: 'child' })
  const stage = openStage({ engines: engines(ctx => Promise.all([start(ctx), start(ctx)])) })
  expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'step_key_required' })
})

test('a start is made once, however often its parent is replayed', async () => {
  const gate = createGate()
  const seen: unknown[] = []
  const stage = openStage({
    engines: engines(async ctx => {
      const { id, started } = await ctx.start({ kind: 'child', input: ctx.input })
      seen.push([id, started])
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  await replay(stage, await stage.start({ id: 'p' }), () => eventually(() => gate.arrivals === 1))
  expect(seen).toEqual(Array(2).fill(['p.child.1', true]))
  expect((await stage.registry.list({ identityKind: 'child', status: 'any' })).records).toHaveLength(1)
})

test('a start by an attempt that has lost its lease starts nothing', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: engines(async ctx => {
      await gate.pass()
      if (ctx.attempt === 1) await ctx.start({ kind: 'child' })
    }),
  })
  const id = await stage.start({ id: 'p' })
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await stage.registry.proveWorkerDead(stage.identity)
  const second = stage.addWorker().runner.run(id)
  await eventually(() => gate.arrivals === 2)
  gate.open()
  await Promise.all([running, second])
  expect(await stage.registry.get('p.child.1')).toBeUndefined()
})

test('a child has its parent’s originator, wake target, environment and cause, and its session’s grant (§6 #170)', async () => {
  const stage = openStage({ engines: engines(ctx => ctx.start({ kind: 'child' }).then(child => child.id)) })
  const session = { sessionId: 's-1', agentFrameId: 'f-1' }
  const env = { policy: { model: 'small' }, pluginOptions: {} }
  // Captures the environment.
  await stage.start({ id: 'template', env })
  await stage.registry.register({
    id: 'p',
    input: { type: 'engine', kind: 'work', payload: null },
    disposition: 'rerunnable',
    envRef: environmentRef(env),
    wakeTarget: session,
    provenance: { originator: { type: 'session', scope: { sessionId: 's-0' } } },
  })
  await stage.outcome('p')
  expect(await stage.record('p.child.1')).toMatchObject({
    provenance: {
      originator: { type: 'session', scope: { sessionId: 's-0' } },
      causedBy: { type: 'process', processId: 'p' },
    },
    wakeTarget: session,
    envRef: environmentRef(env),
  })
  expect(await stage.registry.hasGrant(session, 'p.child.1')).toBe(true)
})

test('an environment that the start names is captured for the child', async () => {
  const env = { policy: { model: 'large' }, pluginOptions: {} }
  const stage = openStage({ engines: engines(ctx => ctx.start({ kind: 'child', env }).then(({ id }) => id)) })
  await stage.outcome(await stage.start({ id: 'p' }))
  expect(await stage.record('p.child.1')).toMatchObject({ envRef: environmentRef(env) })
})

test('a child that was there before is taken as it is; one of another making is refused', async () => {
  const stage = openStage({
    engines: engines(async ctx => {
      const same = await ctx.start({ kind: 'child', id: 'there', input: 1 })
      const other = await ctx.start({ kind: 'child', id: 'there', input: 2 }).catch(error => error)
      return [same.started, other.code, other.details.errorCode]
    }),
  })
  await stage.start({ kind: 'child', id: 'there', input: 1 })
  expect(await stage.outcome(await stage.start())).toMatchObject({
    value: [false, 'step_failed', 'process_registration_conflict'],
  })
})

test('what cannot be started fails, and fails again at the replay', async () => {
  const gate = createGate()
  const seen: string[] = []
  const stage = openStage({
    engines: engines(async ctx => {
      for (const kind of ['nothing', 'external']) {
        const refused = await ctx.start({ kind, disposition: 'rerunnable' }).catch(error => error)
        seen.push(refused.details.errorCode)
      }
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  await replay(stage, await stage.start(), () => eventually(() => gate.arrivals === 1))
  expect(seen).toEqual([...Array(2)].flatMap(() => ['process_kind_unknown', 'disposition_not_narrower']))
})

test('a start with another input than the journaled one is step_diverged', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: engines(async ctx => {
      await ctx.start({ kind: 'child', input: ctx.attempt })
      await gate.pass()
    }),
  })
  const outcome = await replay(stage, await stage.start(), () => eventually(() => gate.arrivals === 1))
  expect(outcome).toMatchObject({ code: 'process_recovery_failed', raw: { code: 'step_diverged' } })
})

test('a parent cancels and signals its child once, however often it is replayed', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: engines(async ctx => {
      const child = await ctx.start({ kind: 'child' })
      for (const by of ['ana', 'ben']) await child.signal('go', { by })
      await child.cancel('changed my mind')
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  await replay(stage, await stage.start({ id: 'p' }), () => eventually(() => gate.arrivals === 1))
  const told = (await stage.events('p.child.1')).map(event => [event.eventType, event.payload])
  expect(told).toEqual([
    ['signal.go', { by: 'ana' }],
    ['signal.go', { by: 'ben' }],
    ['process.cancel_requested', { reason: 'changed my mind' }],
  ])
})

test('a signal that its process does not take fails, and fails again at the replay', async () => {
  const gate = createGate()
  const seen: string[] = []
  const stage = openStage({
    engines: engines(async ctx => {
      const child = await ctx.start({ kind: 'child' })
      for (const sent of [child.signal('nothing'), child.signal('go', 7), ctx.handle('ghost').signal('go')]) {
        seen.push(await sent.then(String, error => error.details.errorCode))
      }
      seen.push(
        await ctx
          .handle('ghost')
          .cancel()
          .then(String, error => error.details.errorCode),
      )
      if (ctx.attempt === 1) await gate.pass()
    }),
  })
  await replay(stage, await stage.start(), () => eventually(() => gate.arrivals === 1))
  const codes = ['process_event_undeclared', 'process_event_schema', 'process_unknown', 'process_unknown']
  expect(seen).toEqual([...codes, ...codes])
})

test('the cancel of a parent leaves its child alone, unless the parent’s code passes it on', async () => {
  const stage = openStage({
    parkGraceMs: 60_000,
    engines: engines(async ctx => {
      const kept = await ctx.start({ kind: 'child' }, { key: 'kept' })
      const taken = await ctx.start({ kind: 'child' }, { key: 'taken' })
      try {
        await kept.outcome()
      } catch (error) {
        await taken.cancel('with its parent')
        throw error
      }
    }),
  })
  const running = stage.runner.run(await stage.start({ id: 'p' }))
  await eventually(async () => (await stage.registry.journal('p')).length === 3)
  await stage.registry.requestCancel('p', 'enough')
  expect(await running).toEqual({ type: 'done', status: 'cancelled' })
  expect((await stage.record('p.child.kept')).cancelRequest).toBeUndefined()
  expect(await stage.outcome('p.child.taken')).toMatchObject({ message: 'with its parent' })
})

/** All that is due, and due then, is run by one worker with so many slots, until the process has ended. */
async function drive(stage: Stage, id: string, concurrency: number) {
  const { environment, runner } = stage.addWorker({ concurrency, parkGraceMs: 60_000 })
  const handle = new InlineRunHandle(environment, runner)
  handle.start()
  try {
    return await stage.registry.awaitOutcome(id)
  } finally {
    await handle.drain()
  }
}

test('with one slot a chain of parent, child and grandchild comes to its end, without a park (§6 #200)', async () => {
  const nest = async (ctx: ProcessContext<number>): Promise<unknown> =>
    ctx.input === 0 ? 'deep' : (await ctx.start({ kind: 'nest', input: ctx.input - 1 })).outcome()
  const stage = openStage({ engines: { nest: { disposition: 'rerunnable', run: nest } } })
  const id = await stage.start({ kind: 'nest', input: 3 })
  expect(JSON.stringify(await drive(stage, id, 1))).toContain('deep')
  expect(await stage.events(id, 'process.waiting')).toEqual([])
})

test('parents that fill all slots and wait for their children all come to their end (§6 #201)', async () => {
  let working = 0
  let most = 0
  const busy = async () => {
    most = Math.max(most, ++working)
    // The work itself takes time, so that one slot too many would be seen as two who work at once.
    await new Promise(resolve => setTimeout(resolve, 2))
    working--
  }
  const stage = openStage({
    engines: {
      top: {
        disposition: 'rerunnable',
        run: async (ctx: ProcessContext) => {
          const keys = Array.from({ length: 6 }, (_, nth) => String(nth))
          const parents = await Promise.all(keys.map(key => ctx.start({ kind: 'parent' }, { key })))
          return (await Promise.all(parents.map(parent => parent.outcome()))).map(({ status }) => status)
        },
      },
      parent: {
        disposition: 'rerunnable',
        run: async (ctx: ProcessContext) => {
          await ctx.step('before', busy)
          const child = await ctx.start({ kind: 'leaf' })
          await child.outcome()
          await ctx.step('after', busy)
        },
      },
      leaf: { disposition: 'rerunnable', run: (ctx: ProcessContext) => ctx.step('work', busy) },
    },
  })
  const id = await stage.start({ kind: 'top' })
  expect(await drive(stage, id, 2)).toEqual({ status: 'completed', value: Array(6).fill('completed') })
  expect(most).toBe(2)
})
