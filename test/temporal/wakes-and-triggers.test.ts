import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/temporal-world.ts'
import { listening } from '../support/wake-main.ts'

const engines = {
  teller: defineEngine({
    disposition: 'rerunnable',
    wakes: { 'process.completed': { input: { pointer: '/await_output/value' } } },
    run: () => 'it is done',
  }),
}
const SESSION = { sessionId: 's' }

test('on Temporal an event and a schedule start processes, whose ends are turns of their session (§6 #210)', async () => {
  await using world = await openWorld({ engines, host: { models: { default: listening } } })
  const { processes, registry } = world
  await registry.createSession({ ...SESSION, turnId: 'host' })
  await registry.leaveSession('s', 'host')
  await world.startWorker()

  await processes.triggers.add({
    id: 'a',
    on: { event: 'push' },
    start: { kind: 'teller', input: null, session: SESSION },
  })
  await processes.triggers.add({
    id: 'each second',
    on: { cron: '* * * * * *' },
    start: { kind: 'teller', input: null },
  })
  const { deliveries } = await processes.triggers.emit('push')
  const [{ processId } = expect.fail('nothing was started')] = deliveries
  expect(await registry.awaitOutcome(processId)).toMatchObject({ status: 'completed', value: 'it is done' })

  const [wake] = await registry.wakesOf(processId)
  const wakeId = wake?.delivery.wakeId ?? ''
  await eventually(async () => expect(await registry.get(wakeId)).toBeDefined())
  expect(await registry.awaitOutcome(wakeId)).toMatchObject({ status: 'completed' })
  expect(await registry.get(wakeId)).toMatchObject({ externalRef: { backend: 'temporal', id: wakeId } })
  const entries = (await registry.loadSession('s'))?.entries ?? []
  expect(entries.map(({ message }) => message)).toMatchObject([
    { role: 'user', content: expect.stringContaining('it is done') },
    { role: 'assistant' },
  ])

  const scheduled = { status: 'completed', causedBySubscriptionId: 'each second' } as const
  await eventually(async () => expect((await registry.list(scheduled)).records.length).toBeGreaterThan(1))
})
