import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqliteRegistry } from '../src/index.ts'
import type { Bench } from './support/bench.ts'
import { startWorker } from './support/children.ts'
import { wallMs } from './support/clock.ts'
import { median, percentile, repeat } from './support/statistics.ts'
import { ms } from './support/table.ts'

const WARM_UPS = 10
const WAKES = 200
/** Between two of them, so that each finds the worker at rest. */
const APART_MS = 20
const MOST_MS = 50

/** An event that wakes is appended here; the worker in another OS process calls its host's sink. */
export const wakes: Bench = async ({ folder }) => {
  const registryPath = join(folder, 'wakes.db')
  await using worker = await startWorker('inline-worker.ts', [registryPath])
  const registry = await sqliteRegistry({ path: registryPath }).open()
  const wake = { input: 'payload' } as const
  await registry.register({
    id: 'announcer',
    input: { type: 'external', metadata: null },
    disposition: 'externally_owned',
    provenance: { originator: { type: 'host' } },
    wakeTarget: { sessionId: 's' },
    eventTypes: [{ name: 'news', payloadSchema: true, semantics: { wake } }],
  })
  const taken: number[] = []
  const appends: number[] = []
  await repeat(WARM_UPS + WAKES, async index => {
    await sleep(APART_MS)
    const begun = wallMs()
    const { wakeDelivery } = await registry.append('announcer', { eventType: 'news', payload: 'news' })
    const appended = wallMs()
    const { atMs } = await worker.next('woken', wakeDelivery?.wakeId ?? '')
    if (index < WARM_UPS) return
    taken.push(atMs - begun)
    appends.push(appended - begun)
  })
  await registry.close()
  const describe = (values: readonly number[]) => `${ms(median(values))} (${ms(percentile(values, 0.95))})`
  return [
    {
      what: 'wake: append → sink called in another OS process, p50 (p95)',
      ours: describe(taken),
      reference: `its append alone: ${describe(appends)}`,
      bound: { text: `≤ ${ms(MOST_MS)}`, isMet: median(taken) <= MOST_MS },
    },
  ]
}
