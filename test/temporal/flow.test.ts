import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld } from '../support/temporal-world.ts'

test('on Temporal those who wait for a place have no slot of the worker, are woken one by one, and cost no history meanwhile', async () => {
  const gate = createGate()
  const order: string[] = []
  let running = 0
  await using world = await openWorld({
    engines: {
      one: defineEngine({
        disposition: 'rerunnable',
        flow: { concurrency: { key: 'k', limit: 1 } },
        async run(ctx) {
          order.push(ctx.id)
          if (++running > 1) order.push('two at a time')
          await gate.pass(ctx.signal)
          running--
        },
      }),
      free: defineEngine({ disposition: 'rerunnable', run: () => 'free' }),
    },
  })
  await world.startWorker({ concurrency: 2 })
  const handles = []
  for (const id of ['holder', 'first', 'second']) {
    handles.push(await world.processes.start({ kind: 'one', id }))
    await eventually(async () => gate.arrivals === 1 && (id === 'holder' || (await turnOf(id)) !== undefined))
  }
  const free = await world.processes.start({ kind: 'free' })
  expect(await free.outcome()).toMatchObject({ value: 'free' })
  gate.open()
  for (const handle of handles) expect(await handle.outcome()).toMatchObject({ status: 'completed' })
  expect(order).toEqual(['holder', 'first', 'second'])
  // One activity to hear that it is not its turn, one nudge, and one activity that runs it.
  expect(await world.historyLength('second')).toBeLessThanOrEqual(21)

  async function turnOf(id: string) {
    return (await world.registry.get(id))?.turn
  }
})
