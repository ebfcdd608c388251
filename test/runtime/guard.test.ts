import { describe, expect, test } from 'vitest'
import type { ProcessRecord } from '../../src/model/process.ts'
import { FACETS, type Facet, type FacetStores, findEphemeralFacet } from '../../src/runtime/durability.ts'
import {
  durableExecutionHost,
  type ExecutionHost,
  inlineExecutionHost,
} from '../../src/runtime/execution-host.ts'
import { type GuardParts, guardRun } from '../../src/runtime/guard.ts'
import { stored } from '../model/fixtures.ts'

const DURABLE = { durabilityTier: 'durable' } as const
const INLINE = { durabilityTier: 'inline' } as const
const ALL_DURABLE: FacetStores = Object.fromEntries(FACETS.map(facet => [facet, DURABLE]))
const ALL_INLINE: FacetStores = Object.fromEntries(FACETS.map(facet => [facet, INLINE]))

const EXTERNAL: Partial<ProcessRecord> = {
  disposition: 'externally_owned',
  input: { type: 'external', metadata: null },
}

const guard = (record: Partial<ProcessRecord> = {}, parts: Partial<GuardParts> = {}) =>
  guardRun(stored(record).record, { executionHost: durableExecutionHost, stores: ALL_DURABLE, ...parts })

const brokenHost = (scope: ExecutionHost['scope']): ExecutionHost => ({ ...DURABLE, scope })

describe('before a runtime is built', () => {
  const SCENARIOS: readonly { facet: Facet; scenario: string }[] = [
    { facet: 'attachment_store', scenario: '§6 #154' },
    { facet: 'artifact_store', scenario: '§6 #159' },
    { facet: 'process_env_store', scenario: '§6 #155' },
    { facet: 'session_store', scenario: '§6 #156' },
    { facet: 'process_registry', scenario: '§6 #157' },
    { facet: 'trigger_store', scenario: '§6 #158' },
  ]

  test.each(SCENARIOS)('a durable host refuses an ephemeral $facet ($scenario)', async ({ facet }) => {
    const stores = { ...ALL_DURABLE, [facet]: INLINE }
    await expect(guard({}, { stores })).rejects.toMatchObject({ code: `durable_store_required:${facet}` })
    // One that does not say how durable it is counts as ephemeral.
    expect(findEphemeralFacet(durableExecutionHost, { ...ALL_DURABLE, [facet]: {} })).toBe(facet)
  })

  test('of several ephemeral stores the first in the order of the facets is told', () => {
    for (const [place, facet] of FACETS.entries()) {
      const earlier = FACETS.slice(0, place).map(name => [name, DURABLE])
      expect(
        findEphemeralFacet(durableExecutionHost, { ...ALL_INLINE, ...Object.fromEntries(earlier) }),
      ).toBe(facet)
    }
  })

  test('an artifact store that no host declares is not asked for', async () => {
    const stores = { ...ALL_DURABLE, artifact_store: undefined }
    expect(await guard({}, { stores })).toMatchObject({ id: 'process:survey-42' })
  })

  test('with every store durable, an externally owned process is refused by its disposition (§6 #160, #152)', async () => {
    await expect(guard(EXTERNAL)).rejects.toMatchObject({
      code: 'process_externally_owned',
      message: expect.stringContaining('"survey-42" is externally-owned and must not be executed here'),
    })
  })

  test('an inline host asks nothing of its stores (§6 #161)', async () => {
    const parts = { executionHost: inlineExecutionHost, stores: ALL_INLINE }
    expect(await guard({}, parts)).toMatchObject({ id: 'process:survey-42' })
    await expect(guard(EXTERNAL, parts)).rejects.toMatchObject({ code: 'process_externally_owned' })
  })

  test.each(['', '  \n'])('the blank id %j is told before anything else (§6 #151)', async id => {
    const executionHost = brokenHost(() => expect.unreachable('asked for a scope'))
    await expect(
      guard({ ...EXTERNAL, id: id as ProcessRecord['id'] }, { executionHost, stores: ALL_INLINE }),
    ).rejects.toMatchObject({ code: 'missing_process_execution_id' })
  })

  test('a host without a scope for the process is told (§6 #153)', async () => {
    await expect(guard({}, { executionHost: brokenHost(() => undefined) })).rejects.toMatchObject({
      code: 'process_no_static_scope',
      processId: 'survey-42',
    })
  })

  test("a host whose scope() fails is told with that error's text (§6 #153)", async () => {
    const executionHost = brokenHost(() => {
      throw new Error('no such shard')
    })
    await expect(guard({}, { executionHost })).rejects.toMatchObject({
      code: 'process_no_static_scope',
      message: expect.stringContaining('no such shard'),
    })
  })

  const profiled = (hostProfileId: string) => ({
    provenance: { originator: { type: 'host' as const }, hostProfileId },
  })

  test('another host profile is refused before stores and disposition, with both names (§6 #163)', async () => {
    const error = await guard(
      { ...EXTERNAL, ...profiled('laptop') },
      { profileId: 'server', stores: ALL_INLINE },
    ).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'process_host_profile_mismatch', processId: 'survey-42' })
    expect(error.message).toContain('"laptop"')
    expect(error.message).toContain('"server"')
  })

  test.each([
    ['', 'server'],
    ['', undefined],
    ['server', 'server'],
  ])('a recorded profile %j passes at a worker of profile %j (§6 #163)', async (recorded, profileId) => {
    expect(await guard(profiled(recorded), { profileId })).toMatchObject({ id: 'process:survey-42' })
  })
})
