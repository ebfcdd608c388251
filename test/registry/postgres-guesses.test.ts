/**
 * What a store on PostgreSQL goes on from without waiting: its own last words on a process, what is seldom there, the
 * server's time. Whatever others have done meanwhile, each answer is the one that somebody who had asked first would give.
 */
import { expect, onTestFinished, test, vi } from 'vitest'
import { createProcessRegistry, type ProcessRegistry } from '../../src/registry/registry.ts'
import { Message } from '../../src/registry/sql/postgres/message.ts'
import {
  ANA,
  BEN,
  COMPLETED,
  EXTERNAL,
  registration,
  TTL,
} from '../../src/testing/registry-suite/fixtures.ts'
import { errorWith } from '../model/fixtures.ts'
import { openPostgres, randomName } from './postgres-fixtures.ts'
import { idOf } from './store-fixtures.ts'

interface Two {
  readonly mine: ProcessRegistry
  readonly other: ProcessRegistry
}

/** Two OS processes' registries in one schema. */
async function openTwo(options: { readonly clock?: () => number } = {}): Promise<Two> {
  const schema = randomName()
  const mine = createProcessRegistry(await openPostgres({ ...options, schema }))
  const other = createProcessRegistry(await openPostgres({ ...options, schema }))
  // From now on it knows the server's time.
  await runThrough(mine, 'first')
  return { mine, other }
}

async function begin(registry: ProcessRegistry, id = 'p', worker = ANA) {
  const begun = await registry.beginAttempt(id, { worker, attempt: worker.incarnationId, ttlMs: TTL })
  return begun.type === 'run' ? begun.lease : expect.fail(begun.type)
}

async function runThrough(registry: ProcessRegistry, id: string): Promise<void> {
  await registry.register(registration({ id }))
  await registry.completeWithLease(await begin(registry, id), COMPLETED)
}

async function messagesOf(work: () => Promise<unknown>): Promise<number> {
  const spy = vi.spyOn(Message.prototype, 'sync')
  await work()
  const { length } = spy.mock.calls
  spy.mockRestore()
  return length
}

test('each write of a process that nobody else writes is one message', async () => {
  // Where the machine is slow, a guess of the time is too far behind.
  const { mine } = await openTwo({ clock: Date.now })
  expect(await messagesOf(() => mine.register(registration()))).toBe(1)
  let lease = await begin(mine, 'p')
  expect(await messagesOf(() => mine.append('p', { eventType: 'note', payload: 1, replayKey: 'k' }))).toBe(1)
  expect(
    await messagesOf(async () => {
      lease = await mine.renew(lease, TTL)
    }),
  ).toBe(1)
  expect(await messagesOf(() => mine.enterBody(lease, ANA))).toBe(1)
  expect(await messagesOf(() => mine.completeWithLease(lease, COMPLETED))).toBe(1)
  expect(await mine.get('p')).toMatchObject({ status: 'completed', lastSequence: 3, attempts: 1 })
})

test('what a process is taken for is what is stored, in every column', async () => {
  const { mine, other } = await openTwo()
  await mine.register(registration({ identity: { kind: 'survey', definition: null }, maxAttempts: 3 }))
  const lease = await begin(mine)
  await mine.renew(lease, TTL)
  await mine.setExternalRef('p', { backend: 'temporal', id: 'a' })
  await mine.requestCancel('p', 'stop')
  // This is answered from memory, and the other's from the table.
  const { changeSeq, ...known } = await mine.completeWithLease(lease, COMPLETED)
  const stored = await other.get('p')
  expect(stored).toEqual({ ...known, changeSeq: stored?.changeSeq })
  expect(stored?.changeSeq).toBeGreaterThan(changeSeq)
})

const MEANWHILE: Readonly<Record<string, (registries: Two) => Promise<void>>> = {
  async 'is cancelled'({ mine, other }) {
    await mine.register(registration())
    await other.requestCancel('p', 'stop')
    const begun = await mine.beginAttempt('p', { worker: ANA, attempt: 'a', ttlMs: TTL })
    expect(begun).toMatchObject({ type: 'settle', outcome: { status: 'cancelled' } })
  },
  async 'is begun'({ mine, other }) {
    await mine.register(registration())
    const lease = await begin(other, 'p', BEN)
    const answer = await mine.beginAttempt('p', { worker: ANA, attempt: 'a', ttlMs: TTL })
    expect(answer).toMatchObject({ type: 'busy', holder: lease })
  },
  async 'has ended'({ mine, other }) {
    await mine.register(registration(EXTERNAL))
    await other.complete('p', COMPLETED, { authority: 'external_owner', grantedTo: 'ana' })
    const wait = { key: 'process:p:timer:w', sinceMs: 1, on: { type: 'timer' } } as const
    await expect(mine.setWait('p', wait)).rejects.toThrow(errorWith('process_wait_on_terminal'))
  },
  async 'is held by a successor'({ mine, other }) {
    await mine.register(registration())
    const lease = await begin(mine)
    await other.release(lease)
    const next = await begin(other, 'p', BEN)
    expect(next.fencingToken).toBeGreaterThan(lease.fencingToken)
    const ending = mine.completeWithLease(lease, COMPLETED)
    await expect(ending).rejects.toThrow(errorWith('process_lease_lost'))
    expect(await mine.get('p')).toMatchObject({ status: 'running', attempts: 2 })
  },
  async 'was given the event already'({ mine, other }) {
    await mine.register(registration())
    const event = { eventType: 'note', payload: 1, replayKey: 'k' }
    const first = await other.append('p', event)
    expect(await mine.append('p', event)).toMatchObject({ type: 'replayed', event: first.event })
    expect(await mine.append('p', { eventType: 'note', payload: 2 })).toMatchObject({
      event: { sequence: 2 },
    })
  },
  async 'is waited for'({ mine, other }) {
    for (const id of ['parent', 'p']) await mine.register(registration({ id }))
    const parent = await begin(other, 'parent', BEN)
    const wait = {
      key: 'process:parent:p',
      sinceMs: 1,
      on: { type: 'process', processId: idOf('p') },
    } as const
    const lease = await begin(mine)
    expect(await other.park(parent, [wait])).toMatchObject({ type: 'parked' })
    await mine.completeWithLease(lease, COMPLETED)
    const due = (await other.dueProcesses(10)).map(({ record }) => record.id)
    expect(due).toContain('parent')
  },
  async 'is pruned, and its id used again'({ mine, other }) {
    await mine.register(registration())
    await other.completeWithLease(await begin(other, 'p', BEN), COMPLETED)
    const before = Date.now() + 86_400_000
    await other.prune({ before })
    await expect(mine.append('p', { eventType: 'note', payload: 1 })).rejects.toThrow(
      errorWith('process_no_longer_retained'),
    )
    await expect(mine.register(registration())).rejects.toThrow(errorWith('process_no_longer_retained'))
    await other.register(registration(), { reuse: true })
    expect(await begin(mine)).toMatchObject({ fencingToken: 2 })
  },
  async 'is registered'({ mine, other }) {
    await other.register(registration())
    expect(await mine.register(registration())).toMatchObject({ type: 'existing' })
  },
}

test.each(Object.keys(MEANWHILE))(
  'a process that %s by another OS process meanwhile is seen to be',
  async what => {
    await MEANWHILE[what]?.(await openTwo())
  },
)

test('a guess of the time that is wrong, either way, is never written', async () => {
  const { mine } = await openTwo()
  const { now } = performance
  const { createdAtMs: early } = (await mine.register(registration({ id: 'before' }))).record
  for (const [index, jumpMs] of [3_600_000, -7_200_000, 7_200_000].entries()) {
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + jumpMs)
    onTestFinished(() => spy.mockRestore())
    const { createdAtMs } = (await mine.register(registration({ id: `p${index}` }))).record
    spy.mockRestore()
    expect(createdAtMs - early).toBeGreaterThanOrEqual(0)
    expect(createdAtMs - early).toBeLessThan(3_000_000)
  }
})

test('after a wrong guess the rest is still asked in few messages', async () => {
  const { mine, other } = await openTwo({ clock: Date.now })
  for (let index = 0; index < 3; index++) {
    const id = `p${index}`
    await mine.register(registration({ id }))
    await other.append(id, { eventType: 'note', payload: 1 })
    // Once for the guess, and then as somebody who knows nothing of it.
    expect(await messagesOf(() => begin(mine, id))).toBe(1 + 3)
  }
})
