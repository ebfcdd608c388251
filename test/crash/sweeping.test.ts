import { expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'

test('the worker that sweeps is killed, and another one sweeps on (§6 #203)', async () => {
  await using world = await openCrashWorld()
  const { registry } = world
  // Only a sweep ends these: no workflow exists for them.
  const giveUp = async (id: string) => {
    await registry.register({
      id,
      input: { type: 'external', metadata: {} },
      disposition: 'externally_owned',
      provenance: { originator: { type: 'host' } },
    })
    await registry.requestAbandon(id, { requestedBy: 'ana' })
    return registry.awaitOutcome(id)
  }
  const first = await world.spawnWorker()
  expect(await giveUp('one')).toMatchObject({ status: 'abandoned' })
  await world.spawnWorker()
  // It came first and holds the duty.
  await first.kill()
  expect(await giveUp('another')).toMatchObject({ status: 'abandoned' })
})
