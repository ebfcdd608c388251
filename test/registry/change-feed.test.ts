import { expect, onTestFinished, test, vi } from 'vitest'
import { ChangeFeed } from '../../src/registry/change-feed.ts'
import { ChangeHub } from '../../src/registry/change-hub.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { ID, NOW } from '../model/fixtures.ts'

test('a look at the feed that failed is made again, although nothing more changes', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const registry = createProcessRegistry(createMemoryStore({ clock: () => NOW }))
  let isFailing = true
  const hub: ChangeHub = new ChangeHub(demand => feed.setDemand(demand))
  const feed = new ChangeFeed(
    {
      ...registry,
      latestChange: () => (isFailing ? Promise.reject(new Error('not now')) : registry.latestChange()),
    },
    hub,
  )
  onTestFinished(() => feed.stop())
  const heard = vi.fn<() => void>()
  hub.subscribe(ID, heard)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(heard).not.toHaveBeenCalled()
  // Whoever listens is told to look for itself: it may have missed something.
  isFailing = false
  await vi.advanceTimersByTimeAsync(1_000)
  expect(heard).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(heard).toHaveBeenCalledTimes(1)
})
