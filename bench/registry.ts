import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { sqliteRegistry } from '../src/index.ts'
import type { Bench, Row } from './support/bench.ts'
import { commitCost } from './support/commit-cost.ts'
import { median, repeat, timed } from './support/statistics.ts'
import { ms, times } from './support/table.ts'

const PROCESSES = 500
const TTL_MS = 30_000

/** The registry's own writes, one after the other, without Temporal: told, not bounded. */
export const registry: Bench = async ({ folder }) => {
  const opened = await sqliteRegistry({ path: join(folder, 'registry.db') }).open()
  const worker = { ownerId: 'bench', incarnationId: randomUUID(), liveness: { kind: 'opaque' } } as const
  const figures = { register: [] as number[], begin: [] as number[], complete: [] as number[] }
  try {
    await opened.putEnv('bench', new Uint8Array())
    await repeat(PROCESSES, async index => {
      const id = `process-${index}`
      const registration = {
        id,
        input: { type: 'engine', kind: 'noop', payload: null },
        disposition: 'rerunnable',
        identity: { kind: 'noop' },
        envRef: 'bench',
        provenance: { originator: { type: 'host' } },
      } as const
      figures.register.push(await timed(() => opened.register(registration)))
      const begun = performance.now()
      const answer = await opened.beginAttempt(id, { worker, attempt: randomUUID(), ttlMs: TTL_MS })
      figures.begin.push(performance.now() - begun)
      if (answer.type !== 'run') throw new Error(`A new process was not to be run, but ${answer.type}.`)
      const outcome = { status: 'completed', value: null } as const
      figures.complete.push(await timed(() => opened.completeWithLease(answer.lease, outcome)))
    })
  } finally {
    await opened.close()
  }
  const floor = commitCost(join(folder, 'commit.db'), PROCESSES)
  return Object.entries(figures).map(
    ([name, values]): Row => ({
      what: `registry: ${name}, p50`,
      ours: ms(median(values)),
      reference: `node:sqlite alone, one row and commit: ${ms(floor)}`,
      ratio: times(median(values) / floor),
    }),
  )
}
