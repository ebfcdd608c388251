import { expect } from 'vitest'
import { type Case, refused, unchanged } from './harness.ts'

const REF = { backend: 'temporal', id: 'p', metadata: { namespace: 'default', tags: [1, 0] } }

export function refCases(it: Case): void {
  it('is stored once, with an event that says so', async ({ registry, clock, register }) => {
    const id = await register()
    clock.advance(7)
    const record = await registry.setExternalRef(id, REF)
    expect(record).toMatchObject({ externalRef: REF, updatedAtMs: clock.now(), lastSequence: 1 })
    const [event] = await registry.eventsAfter(id, 0)
    expect(event).toMatchObject({ eventType: 'process.external_ref_set', payload: REF })
  })

  it('again, the same changes nothing (§6 #16)', async world => {
    const id = await world.register()
    await world.registry.setExternalRef(id, REF)
    world.clock.advance(7)
    await unchanged(world, id, async () => {
      const reordered = { metadata: { tags: [1, -0], namespace: 'default' }, id: 'p', backend: 'temporal' }
      expect(await world.registry.setExternalRef(id, reordered)).toEqual(await world.registry.get(id))
    })
  })

  const OTHERS = {
    'another id (§6 #17)': { ...REF, id: 'q' },
    'another backend': { ...REF, backend: 'other' },
    'other metadata': { ...REF, metadata: { namespace: 'other' } },
    'no metadata': { backend: REF.backend, id: REF.id },
  }
  for (const [what, other] of Object.entries(OTHERS)) {
    it(`with ${what} it is refused, and the first stays`, async world => {
      const id = await world.register()
      await world.registry.setExternalRef(id, REF)
      await unchanged(world, id, () =>
        refused(world.registry.setExternalRef(id, other), 'process_external_ref_conflict'),
      )
    })
  }

  it('can be set on a row that has ended', async ({ registry, register, run }) => {
    const id = await register()
    await registry.completeWithLease(await run(id), { status: 'completed', value: null })
    expect(await registry.setExternalRef(id, REF)).toMatchObject({ status: 'completed', externalRef: REF })
  })

  it('of two set at once, one stays', async ({ registry, register }) => {
    const id = await register()
    const refs = ['q', 'r'].map(other => ({ backend: 'temporal', id: other }))
    const results = await Promise.allSettled(refs.map(ref => registry.setExternalRef(id, ref)))
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await registry.eventsAfter(id, 0)).toHaveLength(1)
  })
}
