import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ProcessLease } from '../../src/model/lease.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { type WatchedRegistry, watchRegistry } from '../../src/registry/watch.ts'
import { COMPLETED } from '../../src/testing/registry-suite/fixtures.ts'
import { ID, NOW, owner, registration } from '../model/fixtures.ts'

const S = { sessionId: 's' }
const T = { sessionId: 't' }

/** A watched registry with one process, and the ticks for what is done next. Nobody listens, so no feed ticks as well. */
async function watched() {
  const registry = watchRegistry(createProcessRegistry(createMemoryStore({ clock: () => NOW })))
  onTestFinished(() => registry.close())
  await registry.register(registration({ wakeTarget: S }), { grant: { scope: S } })
  const tick = vi.spyOn(registry.hub, 'notify')
  return { registry, tick }
}

/** Taken for it beforehand: a claim tells nobody. */
async function claimed(registry: WatchedRegistry): Promise<ProcessLease> {
  const answer = await registry.claim(ID, owner('ana'), 1_000)
  return answer.type === 'acquired' ? answer.lease : expect.fail(answer.type)
}

describe('somebody who waits for a process is told (§6 #142)', () => {
  const ticking: [string, (registry: WatchedRegistry) => Promise<unknown>][] = [
    ['register', registry => registry.register(registration({ wakeTarget: S }))],
    ['setExternalRef', registry => registry.setExternalRef(ID, { backend: 'temporal', id: 'w' })],
    [
      'recordFirstStarted',
      registry => registry.recordFirstStarted(ID, { owner: owner('ana'), startedAtMs: 1 }),
    ],
    ['setWait', registry => registry.setWait(ID, { key: 'nap', sinceMs: 1, on: { type: 'timer' } })],
    ['clearWait', registry => registry.clearWait(ID)],
    ['requestAbandon', registry => registry.requestAbandon(ID, { requestedBy: 'ana' })],
    ['requestCancel', registry => registry.requestCancel(ID)],
    ['append', registry => registry.append(ID, { eventType: 'process.waiting', payload: null })],
    ['ackWake', registry => registry.ackWake(ID, 1)],
    ['completeWithLease', async registry => registry.completeWithLease(await claimed(registry), COMPLETED)],
    [
      'complete',
      registry => registry.complete(ID, COMPLETED, { authority: 'workflow_key', workflowKey: ID }),
    ],
  ]

  test.each(ticking)('of %s, once it is written', async (_, write) => {
    const { registry, tick } = await watched()
    await write(registry)
    expect(tick.mock.calls.map(([id]) => id)).toEqual([ID])
  })

  test('of nothing that was refused', async () => {
    const { registry, tick } = await watched()
    await expect(registry.register(registration({ disposition: 'owner_bound' }))).rejects.toThrow()
    expect(tick).not.toHaveBeenCalled()
  })
})

describe('nobody is told', () => {
  const silent: [string, (registry: WatchedRegistry) => Promise<unknown>][] = [
    ['grant', registry => registry.grant(T, ID)],
    ['revoke', registry => registry.revoke(S, ID)],
    ['transferGrants', registry => registry.transferGrants([ID], { from: S, to: T })],
    ['deleteSessionState', registry => registry.deleteSessionState('s')],
    ['listGrants', registry => registry.listGrants(S)],
    ['claim', registry => registry.claim(ID, owner('ana'), 1_000)],
    ['list', registry => registry.list()],
    ['get', registry => registry.get(ID)],
  ]

  test.each(silent)('of %s', async (_, act) => {
    const { registry, tick } = await watched()
    await act(registry)
    expect(tick).not.toHaveBeenCalled()
  })
})
