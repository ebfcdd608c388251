import { expect } from 'vitest'
import { createProcessRegistry } from '../../src/index.ts'
import { createMemoryStore, testProcessRegistry } from '../../src/testing/index.ts'

testProcessRegistry({
  name: 'a registry in a store that tells nobody',
  async open({ clock }) {
    const store = { ...createMemoryStore({ clock: clock.now }), watch: () => () => {} }
    const registry = createProcessRegistry(store)
    return { registry, close: () => registry.close() }
  },
  deviations: {
    'a watcher is told that something was written': {
      reason: 'nothing tells it of changes; whoever waits looks each second',
      async instead({ registry }) {
        registry.watch(() => expect.fail('it was told'), { everyMs: 1 })
        await registry.putEnv('ref', Uint8Array.of(1))
        expect(await registry.getEnv('ref')).toEqual(Uint8Array.of(1))
      },
    },
  },
})
