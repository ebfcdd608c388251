import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, work } from './stage.ts'

test('a process that only waits makes room for another, in one worker with one slot', async () => {
  const entered: string[] = []
  const stage = openStage({
    concurrency: 1,
    parkGraceMs: 60_000,
    engines: work(async ctx => {
      entered.push(ctx.id)
      await ctx.sleep(ctx.id === 'first' ? 300 : 0)
      await ctx.step('work', () => entered.push(`${ctx.id} works`))
    }),
  })
  await stage.start({ id: 'first' })
  await stage.start({ id: 'second' })
  await Promise.all([stage.runner.run('first'), stage.runner.run('second')])
  expect(entered).toEqual(['first', 'second', 'second works', 'first works'])
})

test('a process that waits for a slot holds no lease, and a worker that stops gives it up', async () => {
  const gate = createGate()
  const stage = openStage({ concurrency: 1, engines: work(ctx => ctx.step('work', () => gate.pass())) })
  const [first, second] = [await stage.start(), await stage.start()]
  const running = stage.runner.run(first)
  await eventually(() => gate.arrivals === 1)
  const stop = new AbortController()
  let heartbeats = 0
  const waiting = stage.runner.run(second, { shutdown: stop.signal, onRenewed: () => heartbeats++ })
  await eventually(() => expect(heartbeats).toBeGreaterThan(0))
  expect(await stage.registry.getLease(second)).toBeUndefined()
  stop.abort()
  expect(await waiting).toEqual({ type: 'released' })
  gate.open()
  await running
  expect(await stage.outcome(second)).toMatchObject({ status: 'completed' })
})

test('never more than so many steps run at once, however many processes wait in between (§6 #201)', async () => {
  let working = 0
  let most = 0
  const stage = openStage({
    concurrency: 3,
    parkGraceMs: 60_000,
    engines: work(async ctx => {
      for (let round = 0; round < 3; round++) {
        await ctx.step(`work ${round}`, async () => {
          most = Math.max(most, ++working)
          // The work itself takes time, so that one slot too many would be seen.
          await sleep(5)
          working--
        })
        await ctx.sleep(10)
      }
    }),
  })
  const ids = await Promise.all(Array.from({ length: 12 }, () => stage.start()))
  await Promise.all(ids.map(id => stage.runner.run(id)))
  expect(most).toBe(3)
  for (const id of ids) expect(await stage.record(id)).toMatchObject({ status: 'completed' })
})

test('what somebody else owns is settled without a slot', async () => {
  const gate = createGate()
  const stage = openStage({ concurrency: 1, engines: work(ctx => ctx.step('work', () => gate.pass())) })
  const running = stage.runner.run(await stage.start())
  await eventually(() => gate.arrivals === 1)
  const external = await stage.start({ kind: 'external' })
  await stage.registry.requestAbandon(external, { requestedBy: 'ana' })
  await stage.runner.settle(external)
  expect(await stage.record(external)).toMatchObject({ status: 'abandoned' })
  gate.open()
  await running
})
