import { expect, test } from 'vitest'
import { createInlineWorker, createProcessClient, defineEngine, defineHost } from '../../src/index.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { createMemoryStore, type FaultPlace, withFaultPoints } from '../../src/testing/index.ts'
import { silent } from '../execution/stage.ts'

test('a process that is registered and begun at once comes to the same places as any other', async () => {
  const places: FaultPlace[] = []
  const registry = {
    description: 'memory',
    open: async () => createProcessRegistry(createMemoryStore()),
  }
  const engines = {
    work: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.step('one', () => 1) }),
  }
  const host = withFaultPoints(defineHost({ registry, engines }), place => places.push(place))
  await using worker = createInlineWorker(host, { logger: silent })
  await worker.ready
  await using processes = createProcessClient({ host })
  await (await processes.start({ id: 'p', kind: 'work' })).outcome()
  expect(places.map(({ point }) => point)).toEqual([
    'attempt.begun',
    'step.answered',
    'step.journaled',
    'process.ending',
    'process.ended',
  ])
})
