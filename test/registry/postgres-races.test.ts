import { expect, test } from 'vitest'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { ANA, COMPLETED, TTL, timer } from '../../src/testing/registry-suite/fixtures.ts'
import { journalEntry, LAPSED, leaseOf, NOW, stored } from '../model/fixtures.ts'
import { openPostgres } from './postgres-fixtures.ts'
import { guardOf, idOf } from './store-fixtures.ts'

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

const RETURNS = 300

test(`of a word on a step and its claimer’s return, ${RETURNS} times, one counts`, {
  timeout: 180_000,
}, async () => {
  const store = await openPostgres({ clock: () => NOW })
  const registry = createProcessRegistry(store)
  // Lapsed, and nobody came: its holder may take it again, and claim the step anew.
  const rounds = Array.from({ length: RETURNS }, (_, index) => {
    const processId = idOf(`p${String(index).padStart(5, '0')}`)
    const lease = { ...leaseOf(ANA, { ageMs: LAPSED }), processId }
    const { owner, fencingToken } = lease
    const claim = journalEntry({
      processId,
      status: 'claimed',
      attempt: owner.incarnationId,
      fence: fencingToken,
      startByMs: NOW,
    })
    return { lease, claim, isLate: index % 2 === 0 }
  })
  await store.transaction(function* (tx) {
    for (const { lease, claim } of rounds) {
      yield* tx.insertProcess(stored({ id: lease.processId, attempts: 1 }, { isAttemptOpen: true }))
      yield* tx.saveLease(lease.processId, { fence: 1, holder: lease }, 0)
      yield* tx.saveJournalEntry(claim, guardOf(lease, lease.claimedAtMs))
    }
  })

  async function meet({ lease, claim, isLate }: (typeof rounds)[number]): Promise<string> {
    const { processId } = lease
    const comeBack = async () => {
      const back = await registry.reacquire(lease, TTL)
      const anew = { ...claim, fence: back.fencingToken, startByMs: back.expiresAtMs }
      await registry.saveJournalEntry(back, anew)
    }
    const resolve = () => registry.resolveStep(processId, claim.address, { value: 7 }, { by: 'ana' })
    const [first, second] = await Promise.allSettled(
      isLate ? [resolve(), comeBack()] : [comeBack(), resolve()],
    )
    const [word, back] = isLate ? [first, second] : [second, first]
    const [effect] = await registry.effects(processId)
    return `word ${word?.status}, return ${back?.status}, ${effect?.state}`
  }
  const ends = new Set<string>()
  const queue = rounds.values()
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (const round of queue) ends.add(await meet(round))
    }),
  )
  // Both orders have happened, and nothing else.
  expect(ends).toEqual(
    new Set(['word fulfilled, return rejected, done', 'word rejected, return fulfilled, running']),
  )
})
