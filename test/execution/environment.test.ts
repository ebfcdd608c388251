import { describe, expect, test } from 'vitest'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import type { Host } from '../../src/index.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { watchRegistry } from '../../src/registry/watch.ts'
import { FACETS } from '../../src/runtime/durability.ts'
import { durableExecutionHost, inlineExecutionHost } from '../../src/runtime/execution-host.ts'
import { registrySessions } from '../../src/runtime/session-store.ts'

const registry = watchRegistry(createProcessRegistry(createMemoryStore()))
const host: Host = { registry: { description: 'none', open: async () => registry } }
const durable = { durabilityTier: 'durable' } as const

describe('what every attempt of a worker shares', () => {
  test('has these defaults', () => {
    const environment = createExecutionEnvironment(host, registry)
    expect(environment).toMatchObject({
      executionHost: inlineExecutionHost,
      timings: { ttlMs: 30_000, renewIntervalMs: 10_000 },
      parkGraceMs: 2_000,
      stopBoundMs: 5_000,
      worker: { liveness: { kind: 'local_process', pid: process.pid } },
    })
    expect(environment).not.toHaveProperty('probes')
  })

  test('is a life of its own for each worker', () => {
    const [one, two] = [
      createExecutionEnvironment(host, registry),
      createExecutionEnvironment(host, registry),
    ]
    expect(one.worker.incarnationId).not.toBe(two.worker.incarnationId)
    expect(one.worker.ownerId).not.toBe(two.worker.ownerId)
  })

  test('is as durable as the registry in whatever the host does not bring', () => {
    const { facets } = createExecutionEnvironment(host, registry)
    const inUse = FACETS.filter(facet => facets[facet] !== undefined)
    expect(inUse).toEqual(FACETS.filter(facet => facet !== 'artifact_store'))
    expect(inUse.map(facet => facets[facet]?.durabilityTier)).toEqual(inUse.map(() => 'inline'))
  })

  test('takes the stores that the host brings, and checks those', () => {
    const sessions = { ...registrySessions(registry), ...durable }
    const stores = { attachments: durable, artifacts: durable, triggers: durable, sessions }
    const environment = createExecutionEnvironment({ ...host, stores }, registry, {
      executionHost: durableExecutionHost,
    })
    expect(environment.sessions).toBe(sessions)
    expect(environment.executionHost).toBe(durableExecutionHost)
    expect(environment.facets).toMatchObject({
      attachment_store: durable,
      artifact_store: durable,
      trigger_store: durable,
      session_store: durable,
      process_registry: { durabilityTier: 'inline' },
    })
  })
})
