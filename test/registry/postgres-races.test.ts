import { expect, test } from 'vitest'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { ANA, COMPLETED, timer } from '../../src/testing/registry-suite/fixtures.ts'
import { leaseOf, NOW, stored } from '../model/fixtures.ts'
import { openPostgres } from './postgres-fixtures.ts'
import { idOf } from './store-fixtures.ts'

const ROUNDS = 10_000
/** At once; more than there are connections, so that some wait for one too. */
const TOGETHER = 40

test(`of a park and what meets it, ${ROUNDS} times, neither loses what the other did`, {
  timeout: 180_000,
}, async () => {
  const store = await openPostgres({ clock: () => NOW })
  const registry = createProcessRegistry(store)
  const rounds = Array.from({ length: ROUNDS }, (_, index) => {
    const processId = idOf(`p${String(index).padStart(5, '0')}`)
    return {
      processId,
      lease: { ...leaseOf(ANA), processId },
      isCancel: index % 2 === 0,
      isLate: index % 4 < 2,
    }
  })
  for (let start = 0; start < ROUNDS; start += 500) {
    await store.transaction(function* (tx) {
      for (const { processId, lease } of rounds.slice(start, start + 500)) {
        yield* tx.insertProcess(stored({ id: processId, attempts: 1 }, { isAttemptOpen: true }))
        yield* tx.saveLease(processId, { fence: 1, holder: lease }, 0)
      }
    })
  }

  const answers = new Map<string, string>()
  async function meet({ processId, lease, isCancel, isLate }: (typeof rounds)[number]): Promise<void> {
    const park = () => registry.park(lease, [timer('open', NOW)]).then(({ type }) => type)
    const other = () =>
      isCancel ? registry.requestCancel(processId) : registry.completeWithLease(lease, COMPLETED)
    const [first, second] = await Promise.allSettled(isLate ? [other(), park()] : [park(), other()])
    const parked = isLate ? second : first
    answers.set(processId, parked?.status === 'fulfilled' ? String(parked.value) : 'refused')
  }
  const queue = rounds.values()
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (const round of queue) await meet(round)
    }),
  )

  const rows = new Map(
    (
      await store.read(tx => tx.listProcesses({ status: 'any' }, { after: '', through: 'q', limit: ROUNDS }))
    ).map(row => [row.id, row] as const),
  )
  const due = new Set((await store.read(tx => tx.listDue(NOW, ROUNDS))).map(({ record }) => record.id))
  const wrong = rounds.filter(({ processId, isCancel }) => {
    const row = rows.get(processId)
    const parked = answers.get(processId)
    if (isCancel) {
      // Either the attempt goes on and hears of the cancel, or the row is parked and due.
      const isTold =
        parked === 'due' ? row?.waits.length === 0 : row?.waits.length === 1 && due.has(processId)
      return row?.cancelRequest === undefined || !isTold
    }
    return parked === 'parked' ? row?.status !== 'running' : row?.status !== 'completed'
  })
  expect(wrong.map(({ processId }) => [processId, answers.get(processId)])).toEqual([])
  // Both orders have happened, or this has shown nothing.
  expect(new Set(answers.values())).toEqual(new Set(['parked', 'due', 'refused']))
})
