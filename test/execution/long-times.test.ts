import { expect, test } from 'vitest'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { watchRegistry } from '../../src/registry/watch.ts'

test('a grace without end is the longest that a timer can hold, and not none', async () => {
  const registry = watchRegistry(createProcessRegistry(createMemoryStore()))
  const source = { description: 'memory', open: async () => registry }
  const graces = { parkGraceMs: Infinity, stopBoundMs: Infinity, forceGraceMs: 30 * 24 * 3_600_000 }
  const environment = createExecutionEnvironment({ registry: source }, registry, graces)
  for (const grace of ['parkGraceMs', 'stopBoundMs', 'forceGraceMs'] as const)
    expect(environment[grace]).toBe(2 ** 31 - 1)
  await registry.close()
})
