import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createInlineWorker, createProcessClient } from '../../src/index.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { eventually } from '../support/eventually.ts'
import { readMarks } from '../support/marks.ts'
import { scannedLogger } from '../support/scan/logs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { triggeredHost } from '../support/trigger-main.ts'
import { REGISTRIES } from './world.ts'

const MAIN = fileURLToPath(new URL('../support/trigger-main.ts', import.meta.url))

/** A registry, its host, a client, and the folder that whatever runs leaves its marks in. */
async function openWorld(address: string) {
  const folder = await temporaryFolder()
  const options = { registry: address, folder }
  const host = triggeredHost(options)
  const processes = createProcessClient({ host })
  const { registry, release } = await borrowRegistry(host.registry)
  const close = async () => {
    await release()
    await processes[Symbol.asyncDispose]()
  }
  return { options, folder, host, processes, registry, [Symbol.asyncDispose]: close }
}

describe.each(REGISTRIES)('on $name', ({ newAddress }) => {
  test.each(['before the start', 'after the start'] as const)(
    'an event whose emitter is killed %s starts its process exactly once (§6 #210, #211)',
    async dies => {
      await using world = await openWorld(await newAddress())
      const { options, folder, host, processes, registry } = world
      await processes.triggers.add({ id: 'a', on: { event: 'push' }, start: { kind: 'note' } })

      const emitter = spawn(process.execPath, [MAIN, JSON.stringify({ ...options, on: 'event', dies })], {
        stdio: 'inherit',
      })
      await once(emitter, 'exit')
      expect(readMarks(folder, 'died')).toHaveLength(1)
      const [reserved] = await registry.deliveriesOf('event:push:k')
      expect(reserved).toMatchObject({ status: 'reserved', occurrence: { payload: { of: 'main' } } })

      await using worker = createInlineWorker(host, { logger: scannedLogger, shutdownGraceMs: 0 })
      await worker.ready
      await eventually(async () => {
        expect(await registry.deliveriesOf('event:push:k')).toMatchObject([{ status: 'started' }])
      })
      expect(await registry.awaitOutcome(reserved?.processId ?? '')).toMatchObject({ status: 'completed' })
      // The webhook is delivered again, because nobody had answered it.
      expect((await processes.triggers.emit('push', { of: 'main' }, { key: 'k' })).deliveries).toMatchObject([
        { status: 'already_reserved' },
      ])
      expect(readMarks(folder, 'ran')).toHaveLength(1)
    },
  )

  test.each(['before the start', 'after the start'] as const)(
    'a schedule whose worker is killed %s of what it occurred for starts that exactly once (§6 #211)',
    async dies => {
      await using world = await openWorld(await newAddress())
      const { options, folder, host, processes, registry } = world
      await processes.triggers.add({ id: 'a', on: { cron: '* * * * * *' }, start: { kind: 'note' } })

      const driver = spawn(process.execPath, [MAIN, JSON.stringify({ ...options, on: 'schedule', dies })], {
        stdio: 'inherit',
      })
      await once(driver, 'exit')
      expect(readMarks(folder, 'died')).toHaveLength(1)
      // What was reserved is started all the same; nothing else is to occur.
      await processes.triggers.pause('a')

      await using worker = createInlineWorker(host, { logger: scannedLogger, shutdownGraceMs: 0 })
      await worker.ready
      await eventually(() => readMarks(folder, 'ran').length > 0)
      const [ran] = readMarks(folder, 'ran')
      expect(await registry.awaitOutcome(ran?.detail ?? '')).toMatchObject({ status: 'completed' })
      await eventually(async () => (await registry.msUntilTriggerDue()) === undefined)
      const { records } = await registry.list({ status: 'any' })
      expect(records.map(({ id }) => id)).toEqual([ran?.detail])
      expect(readMarks(folder, 'ran')).toHaveLength(1)
    },
  )
})
