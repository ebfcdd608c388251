import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { testProcessRegistry } from '../../src/testing/index.ts'

testProcessRegistry({
  name: 'the registry in memory',
  async open({ clock }) {
    const registry = createProcessRegistry(createMemoryStore({ clock: clock.now }))
    return { registry, close: () => registry.close() }
  },
})
