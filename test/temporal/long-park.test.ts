/** A server whose time is skipped, with a registry whose clock follows it. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startTestServer } from '../../src/dev-server/index.ts'
import { defineEngine, sqliteRegistry } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { temporalCacheDir } from '../support/temporal-cli.ts'
import { openWorld } from '../support/temporal-world.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const DAY_MS = 86_400_000

const listener = defineEngine({
  disposition: 'rerunnable',
  events: { 'signal.go': true },
  run: async ctx => [(await ctx.waitForSignal('go')).payload, ctx.attempt],
})

const sleeper = defineEngine({
  disposition: 'rerunnable',
  async run(ctx) {
    const before = await ctx.now()
    await ctx.sleep(30 * DAY_MS)
    return Math.floor(((await ctx.now()) - before) / DAY_MS)
  },
})

test('thirty days of a parked process leave 21 events, whether it sleeps or waits to be told (§6 #236)', {
  timeout: 300_000,
}, async () => {
  await using server = await startTestServer({
    env: process.env,
    cacheDir: temporalCacheDir,
    onProgress: console.log,
  })
  let skippedMs = 0
  const path = join(await temporaryFolder(), 'leasehold.db')
  await using world = await openWorld({
    engines: { listener, sleeper },
    address: server.address,
    source: sqliteRegistry({ path, clock: () => Date.now() + skippedMs }),
  })
  await world.startWorker({ parkGraceMs: 30 })
  const handles = [
    await world.processes.start({ kind: 'listener' }),
    await world.processes.start({ kind: 'sleeper' }),
  ]
  const [told, slept] = handles
  // The server knows of the park as well.
  for (const { id } of handles) {
    await eventually(async () => {
      expect((await world.registry.requireRecord(id)).waits).toHaveLength(1)
      expect((await world.workflow(id).describe()).raw.pendingActivities ?? []).toEqual([])
    })
  }
  for (let day = 0; day < 30; day++) {
    await server.skip(DAY_MS)
    skippedMs += DAY_MS
  }
  expect(await server.currentTimeMs()).toBeGreaterThan(Date.now() + 29 * DAY_MS)
  expect(await slept?.outcome()).toEqual({ status: 'completed', value: 30 })
  await told?.signal('go', 'at last')
  expect(await told?.outcome()).toEqual({ status: 'completed', value: ['at last', 2] })
  for (const { id } of handles) expect(await world.historyLength(id)).toBeLessThanOrEqual(21)
})
