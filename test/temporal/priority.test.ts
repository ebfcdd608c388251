import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld } from '../support/temporal-world.ts'

const ACTIVITIES = 2

test('with more work than room the server gives out the first priority first, and of one priority the fairness keys in turn', async () => {
  const gate = createGate()
  const order: string[] = []
  await using world = await openWorld({
    engines: {
      hold: defineEngine({ disposition: 'rerunnable', run: ctx => gate.pass(ctx.signal) }),
      note: defineEngine({ disposition: 'rerunnable', run: ctx => void order.push(ctx.id) }),
    },
  })
  const worker = await world.startWorker({ concurrency: 1 })
  await world.processes.start({ kind: 'hold' })
  await eventually(() => gate.arrivals === 1)

  const low = (key: string) => ({ priority: 5, fairness: { key } })
  const flows = { a1: low('a'), a2: low('a'), a3: low('a'), a4: low('a'), b: low('b'), top: { priority: 1 } }
  const handles = []
  for (const [id, flow] of Object.entries(flows)) {
    handles.push(await world.processes.start({ kind: 'note', id, flow }))
    // The order of the starts is that of the tasks.
    await eventually(
      async () => ((await world.workflow(id).describe()).raw.pendingActivities ?? []).length === 1,
    )
  }
  await eventually(async () => (await backlog()) === handles.length)
  gate.open()
  for (const handle of handles) expect(await handle.outcome()).toMatchObject({ status: 'completed' })
  expect(order[0]).toBe('top')
  expect(order.slice(1, 3)).toContain('b')
  expect(order).toHaveLength(6)

  async function backlog(): Promise<number> {
    const { stats } = await world.temporal.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: worker.taskQueue },
      taskQueueType: ACTIVITIES,
      reportStats: true,
    })
    return Number(stats?.approximateBacklogCount ?? 0)
  }
})
