import { describe, expect, test } from 'vitest'
import { DeathWatch } from '../../src/execution/death-watch.ts'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import { createProcessClient } from '../../src/index.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { eventually } from '../support/eventually.ts'
import { readMarks } from '../support/marks.ts'
import { scannedLogger } from '../support/scan/logs.ts'
import { spawnWakeWorker } from '../support/spawn-worker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { tellingHost } from '../support/wake-main.ts'
import { REGISTRIES } from './world.ts'

describe.each(REGISTRIES)('on $name', ({ newAddress }) => {
  test.each([
    ['after the append', 2],
    ['before the hand-over', 2],
    // Handed over again, because nobody had noted that it was: the session still hears it once.
    ['after the hand-over', 3],
  ] as const)(
    'a wake whose worker is killed %s is handed over by the next, and neither lost nor told twice (§6 #58)',
    async (dies, handed) => {
      const folder = await temporaryFolder()
      const options = { registry: await newAddress(), folder }
      const host = tellingHost(options)
      await using processes = createProcessClient({ host })
      const { registry, release } = await borrowRegistry(host.registry)
      await using _ = { [Symbol.asyncDispose]: release }
      await registry.createSession({ sessionId: 's', turnId: 'host' })
      await registry.leaveSession('s', 'host')

      const first = await spawnWakeWorker({ ...options, dies })
      const handle = await processes.start({ kind: 'teller', session: { sessionId: 's' } })
      await first.exited
      if (dies !== 'after the append') {
        expect((await registry.wakesOf(handle.id))[0]).toMatchObject({ status: 'enqueuing', attempts: 1 })
        // What every worker does: the proof frees the dead one's claim, which would lapse much later.
        await new DeathWatch(createExecutionEnvironment(host, registry, { logger: scannedLogger })).check()
        expect((await registry.wakesOf(handle.id))[0]).toMatchObject({ status: 'pending', attempts: 1 })
        expect(await registry.msUntilWakeDue()).toBe(0)
      }
      await spawnWakeWorker(options)
      expect(await handle.outcome()).toMatchObject({ status: 'completed' })
      await eventually(async () => {
        expect(await registry.wakesOf(handle.id)).toMatchObject([
          { status: 'enqueued' },
          { status: 'enqueued' },
        ])
      })
      const wakes = await registry.wakesOf(handle.id)
      for (const { delivery } of wakes) {
        expect(await registry.awaitOutcome(delivery.wakeId)).toMatchObject({ status: 'completed' })
      }
      const entries = (await registry.loadSession('s'))?.entries ?? []
      const said = entries.map(({ message }) => message as { role: string; content: string })
      const heard = said
        .filter(({ role }) => role === 'user')
        .map(({ content }) => content.split('\n\n').at(-1))
      expect(heard).toEqual(['the beginning', 'the end'])
      expect(readMarks(folder, 'handed over')).toHaveLength(handed)
      expect(readMarks(folder, 'died')).toHaveLength(1)
    },
  )
})
