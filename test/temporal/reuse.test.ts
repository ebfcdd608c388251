import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { errorWith } from '../model/fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/temporal-world.ts'

const listener = defineEngine({
  disposition: 'rerunnable',
  events: { 'signal.go': true },
  run: async ctx => [(await ctx.waitForSignal('go')).payload, ctx.attempt],
})

const EVERYTHING = { before: Number.MAX_SAFE_INTEGER }

const pay = defineEngine({
  disposition: 'rerunnable',
  run: ctx => ctx.step('charge', ({ operationId }) => operationId, { effect: 'once' }),
})

test('a pruned process is not run again by a late start; with reuse a new one is, in a run of its own', async () => {
  await using world = await openWorld({ engines: { pay } })
  await world.startWorker()
  const request = { kind: 'pay', id: 'paid-and-pruned' } as const
  const first = await world.processes.start(request)
  const outcome = await first.outcome()
  await world.workflow('paid-and-pruned').result()
  expect(await world.registry.prune(EVERYTHING)).toMatchObject({ prunedProcesses: 1 })
  await expect(world.processes.start(request)).rejects.toThrow(errorWith('process_no_longer_retained'))
  await expect(first.outcome()).rejects.toThrow(errorWith('process_no_longer_retained'))
  const again = await world.processes.start({ ...request, reuse: true })
  const second = await again.outcome()
  expect(second).toMatchObject({ status: 'completed' })
  expect(second).not.toEqual(outcome)
  expect(await world.workflow('paid-and-pruned').result()).toEqual({ status: 'completed' })
})

test('a run that is open still serves the process that bears its id now (H9)', async () => {
  await using world = await openWorld({ engines: { pay } })
  const request = { kind: 'pay', id: 'pruned-while-open' } as const
  await world.processes.start(request)
  const authority = { authority: 'workflow_key', workflowKey: 'pruned-while-open' } as const
  await world.registry.complete(
    'pruned-while-open',
    { status: 'cancelled', message: 'before it began' },
    authority,
  )
  expect(await world.registry.prune(EVERYTHING)).toMatchObject({ prunedProcesses: 1 })
  const again = await world.processes.start({ ...request, reuse: true })
  expect(again.started).toBe(true)
  await world.startWorker()
  expect(await again.outcome()).toMatchObject({ status: 'completed' })
  expect(await world.workflow('pruned-while-open').result()).toEqual({ status: 'completed' })
})

test('a process that somebody ends while its workflow waits ends that too, and only once (H7, §6 #223)', async () => {
  await using world = await openWorld({ engines: { listener } })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'listener' })
  await eventually(async () => expect((await handle.describe()).waits).toHaveLength(1))
  const authority = { authority: 'workflow_key', workflowKey: handle.id } as const
  const outcome = { status: 'failed', class: 'execution', code: 'recalled', message: 'by its host' } as const
  await world.registry.complete(handle.id, outcome, authority)
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'failed' })
  expect(await handle.outcome()).toMatchObject(outcome)
  const types = await world.eventTypes(handle.id)
  expect(types.filter(type => /^process\.(completed|failed|cancelled|abandoned)$/.test(type))).toEqual([
    'process.failed',
  ])
  expect(await handle.describe()).toMatchObject({ attempts: 1 })
})
