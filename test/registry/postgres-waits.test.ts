import { expect, test } from 'vitest'
import type { ProcessId } from '../../src/model/ids.ts'
import type { WaitCondition } from '../../src/model/wait.ts'
import { createProcessRegistry, type ProcessRegistry } from '../../src/registry/registry.ts'
import { ANA, COMPLETED } from '../../src/testing/registry-suite/fixtures.ts'
import { leaseOf, NOW, stored } from '../model/fixtures.ts'
import { openPostgres } from './postgres-fixtures.ts'
import { idOf } from './store-fixtures.ts'

const ROUNDS = 2_000
/** At once; more than there are connections, so that some wait for one too. */
const TOGETHER = 40

const EVENT_TYPES = ['note', 'signal.go'].map(name => ({ name, payloadSchema: true }))

interface Round {
  readonly waiter: ProcessId
  readonly other: ProcessId
  readonly kind: 'signal' | 'process' | 'event'
  readonly isLate: boolean
}

const conditionOf = ({ kind, other }: Round): WaitCondition => {
  if (kind === 'signal') return { type: 'signal', name: 'go' }
  if (kind === 'process') return { type: 'process', processId: other }
  return { type: 'event', processId: other, eventType: 'note', after: 0 }
}

function satisfy(registry: ProcessRegistry, { kind, waiter, other }: Round): Promise<unknown> {
  if (kind === 'signal') return registry.signal(waiter, 'go', null)
  if (kind === 'event') return registry.append(other, { eventType: 'note', payload: null })
  return registry.complete(other, COMPLETED, { authority: 'workflow_key', workflowKey: other })
}

test(`of a park and what it waits for, ${ROUNDS} times, neither misses the other`, {
  timeout: 180_000,
}, async () => {
  const store = await openPostgres({ clock: () => NOW })
  const registry = createProcessRegistry(store)
  const rounds = Array.from({ length: ROUNDS }, (_, index): Round => {
    const number = String(index).padStart(5, '0')
    const kind = (['signal', 'process', 'event'] as const)[index % 3] ?? 'signal'
    // By their ids the other is locked before the waiter in half of the rounds, and after it in the others.
    const [waiter, other] = [idOf(`p${number}m`), idOf(`p${number}${index % 4 < 2 ? 'a' : 'z'}`)]
    return { waiter, other, kind, isLate: index % 2 === 0 }
  })
  const leaseFor = (processId: ProcessId) => ({ ...leaseOf(ANA), processId })
  for (let start = 0; start < ROUNDS; start += 500) {
    await store.transaction(function* (tx) {
      for (const { waiter, other } of rounds.slice(start, start + 500)) {
        yield* tx.insertProcess(stored({ id: other, eventTypes: EVENT_TYPES }))
        yield* tx.insertProcess(
          stored({ id: waiter, eventTypes: EVENT_TYPES, attempts: 1 }, { isAttemptOpen: true }),
        )
        yield* tx.saveLease(waiter, { fence: 1, holder: leaseFor(waiter) }, 0)
      }
    })
  }

  const answers = new Map<ProcessId, string>()
  async function meet(round: Round): Promise<void> {
    const wait = { key: 'w', sinceMs: NOW, on: conditionOf(round) }
    const park = () => registry.park(leaseFor(round.waiter), [wait]).then(({ type }) => type)
    const acts: [Promise<unknown>, Promise<unknown>] = round.isLate
      ? [satisfy(registry, round), park()]
      : [park(), satisfy(registry, round)]
    const [first, second] = await Promise.all(acts)
    answers.set(round.waiter, String(round.isLate ? second : first))
  }
  const queue = rounds.values()
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (const round of queue) await meet(round)
    }),
  )

  const due = new Set((await store.read(tx => tx.listDue(NOW, 2 * ROUNDS))).map(({ record }) => record.id))
  const wrong = rounds.filter(({ waiter }) => answers.get(waiter) === 'parked' && !due.has(waiter))
  expect(wrong).toEqual([])
  // Both orders have happened, or this has shown nothing.
  expect(new Set(answers.values())).toEqual(new Set(['parked', 'due']))
})

test('two who park on each other at the same time are both parked, and each wakes the other', {
  timeout: 60_000,
}, async () => {
  const store = await openPostgres({ clock: () => NOW })
  const registry = createProcessRegistry(store)
  const pairs = Array.from({ length: 30 }, (_, index) => [idOf(`a${index}`), idOf(`b${index}`)] as const)
  await store.transaction(function* (tx) {
    for (const id of pairs.flat()) {
      yield* tx.insertProcess(stored({ id, eventTypes: EVENT_TYPES, attempts: 1 }, { isAttemptOpen: true }))
      yield* tx.saveLease(id, { fence: 1, holder: { ...leaseOf(ANA), processId: id } }, 0)
    }
  })
  const parkOn = (id: ProcessId, processId: ProcessId) =>
    registry.park({ ...leaseOf(ANA), processId: id }, [
      { key: 'w', sinceMs: NOW, on: { type: 'event', processId, eventType: 'note', after: 0 } },
    ])
  const answers = await Promise.all(pairs.flatMap(([a, b]) => [parkOn(a, b), parkOn(b, a)]))
  expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['parked']))
  await Promise.all(pairs.flat().map(id => registry.append(id, { eventType: 'note', payload: null })))
  expect(await store.read(tx => tx.listDue(NOW, 1_000))).toHaveLength(60)
})
