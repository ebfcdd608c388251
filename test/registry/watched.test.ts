import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { watchRegistry } from '../../src/registry/watch.ts'
import { testProcessRegistry } from '../../src/testing/index.ts'

testProcessRegistry({
  name: 'a registry that is watched',
  async open({ clock }) {
    const registry = watchRegistry(createProcessRegistry(createMemoryStore({ clock: clock.now })))
    return { registry, close: () => registry.close() }
  },
})
