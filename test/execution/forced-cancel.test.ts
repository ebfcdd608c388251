import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, type Stage, work } from './stage.ts'

/** Long enough to see that the code was told first, short for a test. */
const GRACE = { forceGraceMs: 100 }

async function runUntil(
  stage: Stage,
  isThere: () => boolean,
): Promise<{ id: string; running: Promise<unknown> }> {
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(isThere)
  return { id, running }
}

test.each(['rerunnable', 'owner_bound'] as const)(
  'a %s process that is deaf to its cancel is ended without it, and says so',
  async disposition => {
    const gate = createGate()
    onTestFinished(gate.open)
    const told: string[] = []
    const stage = openStage({
      ...GRACE,
      engines: work(async ctx => {
        ctx.signal.addEventListener('abort', () => told.push('told'))
        await gate.pass()
        told.push('went on')
        await ctx.step('never written', () => 1)
      }, disposition),
    })
    const { id, running } = await runUntil(stage, () => gate.arrivals === 1)
    await stage.registry.requestCancel(id, 'enough', { force: true })
    expect(await running).toEqual({ type: 'done', status: 'cancelled' })
    expect((await stage.record(id)).outcome).toEqual({
      status: 'cancelled',
      message: 'enough',
      raw: { stopped: false },
    })
    expect(told).toEqual(['told'])
    expect(await stage.registry.getLease(id)).toBeUndefined()
    gate.open()
    await eventually(() => told.includes('went on'))
    expect(await stage.registry.journal(id)).toEqual([])
  },
)

test('an effect in flight when it is ended by force is listed as unknown', async () => {
  const gate = createGate()
  onTestFinished(gate.open)
  const stage = openStage({
    ...GRACE,
    engines: work(ctx => ctx.step('charge', () => gate.pass(), { effect: 'once' })),
  })
  const { id, running } = await runUntil(stage, () => gate.arrivals === 1)
  await stage.registry.requestCancel(id, 'enough', { force: true })
  await running
  expect((await stage.record(id)).outcome).toMatchObject({
    raw: {
      stopped: false,
      unknownEffects: [{ step: 'charge#1', operationId: expect.stringMatching(/^op_/) }],
    },
  })
})

test('code that ends within the grace has its own outcome', async () => {
  const gate = createGate()
  const stage = openStage({
    forceGraceMs: 60_000,
    engines: work(ctx => gate.pass(ctx.signal).catch(() => 'saved what I had')),
  })
  const { id, running } = await runUntil(stage, () => gate.arrivals === 1)
  await stage.registry.requestCancel(id, 'enough', { force: true })
  await running
  expect((await stage.record(id)).outcome).toEqual({ status: 'completed', value: 'saved what I had' })
})

test('a cancel that is not obeyed can be made a forced one later', async () => {
  const gate = createGate()
  onTestFinished(gate.open)
  let told = 0
  const stage = openStage({
    ...GRACE,
    engines: work(ctx => {
      ctx.signal.addEventListener('abort', () => told++)
      return gate.pass()
    }),
  })
  const { id, running } = await runUntil(stage, () => gate.arrivals === 1)
  await stage.registry.requestCancel(id, 'first')
  await eventually(() => told === 1)
  await stage.registry.requestCancel(id, 'second', { force: true })
  expect(await running).toEqual({ type: 'done', status: 'cancelled' })
  expect((await stage.record(id)).outcome).toMatchObject({ message: 'first', raw: { stopped: false } })
})

test('where nobody holds the process, it is a cancel like any other (§6 #194)', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const id = await stage.start()
  await stage.registry.requestCancel(id, 'enough', { force: true })
  expect(await stage.outcome(id)).toEqual({ status: 'cancelled', message: 'enough' })
})

test('the child processes of the attempt are killed with theirs, and those of no other attempt', async () => {
  const gate = createGate()
  onTestFinished(gate.open)
  const pids: Record<string, number[]> = {}
  const stage = openStage({
    ...GRACE,
    engines: work(async ctx => {
      // A shell with a child of its own, which a kill of the shell alone would leave behind.
      const child = spawn('/bin/sh', ['-c', 'sleep 600 & echo $!; wait'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const [line] = await once(createInterface(child.stdout), 'line')
      pids[ctx.id] = [child.pid ?? 0, Number(line)]
      await gate.pass()
    }),
  })
  onTestFinished(() => {
    for (const pid of Object.values(pids).flat()) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  const [kept, forced] = [await stage.start({ id: 'kept' }), await stage.start({ id: 'forced' })]
  const running = [stage.runner.run(kept), stage.runner.run(forced)]
  await eventually(() => gate.arrivals === 2)
  await stage.registry.requestCancel(forced, 'enough', { force: true })
  await running[1]
  await eventually(() => pids.forced?.every(pid => !isAlive(pid)) === true)
  expect(pids.kept?.map(isAlive)).toEqual([true, true])
  gate.open()
  await running[0]
})

/** A zombie, whom nobody has buried yet, is dead. */
function isAlive(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !['Z', 'X'].includes(text.slice(text.lastIndexOf(')') + 2).split(' ')[0] ?? '')
  } catch {
    return false
  }
}
