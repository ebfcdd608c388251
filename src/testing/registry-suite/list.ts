import { expect } from 'vitest'
import type { ProcessListFilter } from '../../model/list.ts'
import type { Provenance } from '../../model/provenance.ts'
import type { SessionScope } from '../../model/session-scope.ts'
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
  await register({ id: 'failed', identity: { kind: 'other', label: 'weekly', definition: { v: 1, s: 'a' } } })
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
  { filter: { identityKind: 'external' }, ids: ['external'] },
  { filter: { identityLabel: 'weekly', status: 'any' }, ids: ['failed'] },
  { filter: { identityLabel: 'weekly' }, ids: [] },
  { filter: { identityLabel: 'a form' }, ids: ['external'] },
  { filter: { definition: { s: 'a', v: 1 }, status: 'any' }, ids: ['failed'] },
  { filter: { definition: { s: 'a', v: 2 }, status: 'any' }, ids: [] },
  { filter: { definition: null, status: 'any' }, ids: [] },
  { filter: { identityKind: 'other' }, ids: [] },
  { filter: { identityKind: 'other', status: 'any' }, ids: ['failed'] },
  { filter: { identityKind: 'survey', waiting: true, status: 'any' }, ids: ['waiting'] },
]

const idsOf = (page: { readonly records: readonly { readonly id: string }[] }) =>
  page.records.map(({ id }) => id)

/** Rows of every origin that a filter tells apart. */
async function fillOrigins({ registry, register }: World): Promise<void> {
  const trigger = (occurrenceId: string, subscriptionId?: string) =>
    ({
      type: 'trigger_occurrence',
      occurrenceId,
      ...(subscriptionId === undefined ? {} : { subscriptionId }),
    }) as const
  const host = { type: 'host' } as const
  const session = (scope: SessionScope) => ({ type: 'session', scope }) as const
  const provenances: Readonly<Record<string, Provenance>> = {
    cron: { originator: { type: 'host', scope: 'cron' } },
    frame: { originator: session({ sessionId: 's', agentFrameId: 'f' }) },
    host: { originator: host },
    'o1-u1': { originator: host, causedBy: trigger('o1', 'u1') },
    'o1-u2': { originator: host, causedBy: trigger('o1', 'u2') },
    o2: { originator: host, causedBy: trigger('o2') },
    process: { originator: host, causedBy: { type: 'process', processId: 'o1' } },
    session: { originator: session({ sessionId: 's' }) },
  }
  for (const [id, provenance] of Object.entries(provenances)) await register({ id, provenance })
  await registry.complete('cron', COMPLETED, { authority: 'workflow_key', workflowKey: 'cron' })
}

const ORIGINS: readonly { filter: ProcessListFilter; ids: readonly string[] }[] = [
  { filter: { originatorScopeId: 'host' }, ids: ['host', 'o1-u1', 'o1-u2', 'o2', 'process'] },
  { filter: { originatorScopeId: 'host:cron' }, ids: [] },
  { filter: { originatorScopeId: 'host:cron', status: 'any' }, ids: ['cron'] },
  { filter: { originatorScopeId: 'session:s' }, ids: ['session'] },
  { filter: { originatorScopeId: 'session:s/frame:f' }, ids: ['frame'] },
  { filter: { originatorScopeId: 'session:t', status: 'any' }, ids: [] },
  { filter: { causedByOccurrenceId: 'o1' }, ids: ['o1-u1', 'o1-u2'] },
  { filter: { causedByOccurrenceId: 'o1', status: 'completed' }, ids: [] },
  { filter: { causedBySubscriptionId: 'u2' }, ids: ['o1-u2'] },
  { filter: { causedByOccurrenceId: 'o2', causedBySubscriptionId: 'u2', status: 'any' }, ids: [] },
  {
    filter: { causedByOccurrenceId: 'o1', originatorScopeId: 'host', waiting: false },
    ids: ['o1-u1', 'o1-u2'],
  },
]

export function listCases(it: Case): void {
  for (const { filter, ids } of FILTERS) {
    it(`${JSON.stringify(filter)} finds ${ids.join(', ') || 'nothing'} (§6 #116–#118)`, async world => {
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

  for (const { filter, ids } of ORIGINS) {
    it(`${JSON.stringify(filter)} finds ${ids.join(', ') || 'nothing'} (§6 #118)`, async world => {
      await fillOrigins(world)
      expect(idsOf(await world.registry.list(filter))).toEqual(ids)
    })
  }

  it('the time of creation is bounded inclusively from below, exclusively from above (§6 #118)', async ({
    registry,
    clock,
    register,
  }) => {
    const start = clock.now()
    for (const id of ['a', 'b', 'c', 'd']) {
      await register({ id })
      clock.advance(10)
    }
    const created = async (filter: object) => idsOf(await registry.list(filter))
    expect(await created({ createdAtStartMs: start + 10 })).toEqual(['b', 'c', 'd'])
    expect(await created({ createdAtEndMs: start + 10 })).toEqual(['a'])
    expect(await created({ createdAtStartMs: start + 10, createdAtEndMs: start + 30 })).toEqual(['b', 'c'])
    expect(await created({ createdAtStartMs: start + 10, createdAtEndMs: start + 10 })).toEqual([])
  })

  it('the rows that have not ended come in byte order, waiting and silent ones too (§6 #116)', async world => {
    await fill(world)
    const live = ['external', 'running', 'silent', 'waiting']
    expect(idsOf(await world.registry.listNonTerminal())).toEqual(live)
    const { next = '', through = '' } = await world.registry.listNonTerminal({ limit: 2 })
    expect(idsOf(await world.registry.listNonTerminal({ after: next, through }))).toEqual(live.slice(2))
  })

  it('a reading ends at the greatest id that there was when it began', async ({ registry, register }) => {
    for (const id of ['b', 'd', 'f']) await register({ id })
    const first = await registry.listNonTerminal({ limit: 1 })
    for (const id of ['a', 'e', 'g']) await register({ id })
    const rest = await registry.listNonTerminal({ after: first.next ?? '', through: first.through ?? '' })
    // "a" is behind the page and "g" beyond the bound: they are the next reading's.
    expect([...idsOf(first), ...idsOf(rest)]).toEqual(['b', 'd', 'e', 'f'])
    expect(rest).not.toHaveProperty('next')
    expect(idsOf(await registry.listNonTerminal())).toEqual(['a', 'b', 'd', 'e', 'f', 'g'])
  })

  it('a reading while rows come and end holds each one that stays exactly once', async world => {
    const { registry, register, run } = world
    const staying = Array.from({ length: 20 }, (_, index) => `s${String(index).padStart(2, '0')}`)
    for (const id of staying) await register({ id })
    await register({ id: 's05-ends' })
    const seen: string[] = []
    let page = await registry.listNonTerminal({ limit: 3 })
    for (let turn = 0; ; turn++) {
      seen.push(...idsOf(page))
      if (page.next === undefined || page.through === undefined) break
      // Always one more ahead of the reader, so that a reading without a bound would never end.
      await register({ id: `z${turn}` })
      if (turn === 0) await registry.completeWithLease(await run('s05-ends'), COMPLETED)
      page = await registry.listNonTerminal({ after: page.next, through: page.through, limit: 3 })
    }
    expect(seen).toEqual(staying)
  })

  it('of many ids, those without a row are told in their order', async ({ registry, register, run }) => {
    const ids = Array.from({ length: 600 }, (_, index) => `p${index}`)
    const known = ids.filter((_, index) => index % 100 === 7)
    for (const id of known) await register({ id })
    await registry.completeWithLease(await run('p7'), COMPLETED)
    const shuffled = ids.toReversed()
    expect(await registry.filterUnregistered(shuffled)).toEqual(shuffled.filter(id => !known.includes(id)))
    expect(await registry.filterUnregistered(['p7', 'x', 'p8', 'x', ''])).toEqual(['x', 'p8', 'x', ''])
    expect(await registry.filterUnregistered(['p7'])).toEqual([])
    expect(await registry.filterUnregistered([])).toEqual([])
  })

  it('the definitions and environments of live rows are counted, until none is left (§6 #120)', async world => {
    const { registry, register, run } = world
    const envRef = 'process-env:sha256:00'
    const [first, second] = [{ v: 1, s: 'a' }, { v: 2 }]
    for (const [id, definition] of [
      ['a', first],
      ['b', second],
      ['c', { s: 'a', v: 1 }],
    ] as const) {
      await register({ id, identity: { kind: 'script', definition } })
    }
    await register({ id: 'd', envRef: 'process-env:sha256:01' })
    await register({ id: 'e', identity: { kind: 'script', definition: null } })
    await register({ id: 'f', ...EXTERNAL })
    expect(await registry.liveReferences()).toEqual([
      { processCount: 1 },
      { envRef: 'process-env:sha256:01', processCount: 1 },
      { definition: null, envRef, processCount: 1 },
      { definition: first, envRef, processCount: 2 },
      { definition: second, envRef, processCount: 1 },
    ])
    for (const id of ['a', 'd', 'e']) await registry.completeWithLease(await run(id), COMPLETED)
    await registry.complete('f', COMPLETED, { authority: 'external_owner', grantedTo: 'ana' })
    expect(await registry.liveReferences()).toEqual([
      { definition: first, envRef, processCount: 1 },
      { definition: second, envRef, processCount: 1 },
    ])
    for (const id of ['b', 'c']) await registry.completeWithLease(await run(id), COMPLETED)
    expect(await registry.liveReferences()).toEqual([])
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
    const mistyped: readonly object[] = [
      { waiting: 'yes' },
      { identityKind: 7 },
      { definition: Number.NaN },
      { createdAtStartMs: 1.5 },
    ]
    for (const filter of mistyped) await refused(registry.list(filter), 'usage')
    await refused(registry.list({}, { limit: 0 }), 'usage')
    await refused(registry.list({}, { limit: 1_001 }), 'usage')
  })
}
