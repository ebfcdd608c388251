import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { errorWith } from '../model/fixtures.ts'
import { openWorld } from '../support/temporal-world.ts'

const EVERYTHING = { before: Number.MAX_SAFE_INTEGER }

const pay = defineEngine({
  disposition: 'rerunnable',
  run: ctx => ctx.step('charge', ({ operationId }) => operationId, { effect: 'once' }),
})

test('a pruned process is not run again by a late start; with reuse a new one is, in a run of its own', async () => {
  await using world = await openWorld({ engines: { pay } })
  await world.startWorker()
  const request = { kind: 'pay', id: 'one' } as const
  const first = await world.processes.start(request)
  const outcome = await first.outcome()
  await world.workflow('one').result()
  expect(await world.registry.prune(EVERYTHING)).toMatchObject({ prunedProcesses: 1 })
  await expect(world.processes.start(request)).rejects.toThrow(errorWith('process_no_longer_retained'))
  await expect(first.outcome()).rejects.toThrow(errorWith('process_no_longer_retained'))
  const again = await world.processes.start({ ...request, reuse: true })
  const second = await again.outcome()
  expect(second).toMatchObject({ status: 'completed' })
  expect(second).not.toEqual(outcome)
  expect(await world.workflow('one').result()).toEqual({ status: 'completed' })
})

test('a run that is open still serves the process that bears its id now', async () => {
  await using world = await openWorld({ engines: { pay } })
  const request = { kind: 'pay', id: 'one' } as const
  await world.processes.start(request)
  const authority = { authority: 'workflow_key', workflowKey: 'one' } as const
  await world.registry.complete('one', { status: 'cancelled', message: 'before it began' }, authority)
  expect(await world.registry.prune(EVERYTHING)).toMatchObject({ prunedProcesses: 1 })
  const again = await world.processes.start({ ...request, reuse: true })
  expect(again.started).toBe(true)
  await world.startWorker()
  expect(await again.outcome()).toMatchObject({ status: 'completed' })
  expect(await world.workflow('one').result()).toEqual({ status: 'completed' })
})
