import { expect } from 'vitest'
import type { ProcessListFilter } from '../../model/list.ts'
import { COMPLETED, EXTERNAL, OUTCOMES, timer } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

/** One row of every sort that a filter tells apart, each named for what it is. */
async function fill({ registry, clock, register, run, start, begin }: World): Promise<void> {
  await register({ id: 'running' })
  await register({ id: 'external', ...EXTERNAL })
  await register({ id: 'waiting' })
  await registry.park(await run('waiting'), [timer('nap', clock.now(), clock.now() + 1_000_000)])
  await register({ id: 'completed' })
  await registry.completeWithLease(await run('completed'), COMPLETED)
  await register({ id: 'failed', identity: { kind: 'other' } })
  await registry.completeWithLease(await run('failed'), OUTCOMES.failed)
  await register({ id: 'silent', disposition: 'owner_bound' })
  await start('silent', { ttlMs: 1 })
  clock.advance(1)
  expect(await begin('silent')).toEqual({ type: 'silent' })
}

const FILTERS: readonly { filter: ProcessListFilter; ids: readonly string[] }[] = [
  { filter: {}, ids: ['external', 'running', 'silent', 'waiting'] },
  { filter: { status: 'running' }, ids: ['external', 'running', 'silent', 'waiting'] },
  { filter: { status: 'completed' }, ids: ['completed'] },
  { filter: { status: 'failed' }, ids: ['failed'] },
  { filter: { status: 'cancelled' }, ids: [] },
  { filter: { status: 'any' }, ids: ['completed', 'external', 'failed', 'running', 'silent', 'waiting'] },
  { filter: { waiting: true }, ids: ['waiting'] },
  { filter: { waiting: false }, ids: ['external', 'running', 'silent'] },
  { filter: { silent: true }, ids: ['silent'] },
  { filter: { silent: false, waiting: false }, ids: ['external', 'running'] },
  { filter: { kind: 'external' }, ids: ['external'] },
  { filter: { kind: 'other' }, ids: [] },
  { filter: { kind: 'other', status: 'any' }, ids: ['failed'] },
  { filter: { kind: 'survey', waiting: true, status: 'any' }, ids: ['waiting'] },
]

const idsOf = (page: { readonly records: readonly { readonly id: string }[] }) =>
  page.records.map(({ id }) => id)

export function listCases(it: Case): void {
  for (const { filter, ids } of FILTERS) {
    it(`${JSON.stringify(filter)} finds ${ids.join(', ') || 'nothing'} (§6 #116, #117)`, async world => {
      await fill(world)
      expect(idsOf(await world.registry.list(filter))).toEqual(ids)
    })
  }

  it('rows come in the byte order of their ids', async ({ registry, register }) => {
    // By UTF-16 code unit the fox would come before the last one; by locale, "a" before "B".
    const ids = ['B', 'a', 'ab', 'z', 'é', '\uFFFD', '🦊']
    for (const id of ids.toReversed()) await register({ id })
    expect(idsOf(await registry.list())).toEqual(ids)
    expect(idsOf(await registry.list({}, { after: 'é' }))).toEqual(['\uFFFD', '🦊'])
  })

  it('pages hold each row once, and the last one says so', async ({ registry, register }) => {
    const ids = ['a', 'b', 'c', 'd', 'e']
    for (const id of ids) await register({ id })
    const first = await registry.list({}, { limit: 2 })
    expect({ ids: idsOf(first), next: first.next }).toEqual({ ids: ['a', 'b'], next: 'b' })
    const second = await registry.list({}, { limit: 2, after: 'b' })
    expect({ ids: idsOf(second), next: second.next }).toEqual({ ids: ['c', 'd'], next: 'd' })
    const last = await registry.list({}, { limit: 2, after: 'd' })
    expect({ ids: idsOf(last), next: last.next }).toEqual({ ids: ['e'], next: undefined })
    expect(await registry.list({}, { after: 'e' })).toEqual({ records: [] })
  })

  it('a row that comes up behind the page waits for the next reading', async ({ registry, register }) => {
    for (const id of ['b', 'd']) await register({ id })
    const { next = '' } = await registry.list({}, { limit: 1 })
    for (const id of ['a', 'c']) await register({ id })
    expect(idsOf(await registry.list({}, { after: next }))).toEqual(['c', 'd'])
  })

  it('the rows of a page are the rows themselves', async world => {
    await fill(world)
    for (const record of (await world.registry.list({ status: 'any' })).records) {
      expect(record).toEqual(await world.registry.get(record.id))
    }
  })

  it('a filter or page that means nothing is refused (§6 #119)', async ({ registry }) => {
    const misspelt: object = { stauts: 'any' }
    await refused(registry.list(misspelt), 'usage')
    await refused(registry.list({}, { limit: 0 }), 'usage')
    await refused(registry.list({}, { limit: 1_001 }), 'usage')
  })
}
