import { expect } from 'vitest'
import type { DeathEvidence, ProcessLease } from '../../model/lease.ts'
import type { RegistrationRequest } from '../../model/registration.ts'
import { ANA, BEN, EXTERNAL, TTL, timer } from './fixtures.ts'
import type { Case, World } from './harness.ts'

/** How Ben left a process that he had begun: `entered` says that his code ran. */
type Left = 'never begun' | 'begun' | 'entered' | 'entered, lapsed' | 'entered, released'

interface Recovery {
  readonly disposition: RegistrationRequest['disposition']
  readonly left: Left
  readonly isProvenDead?: true
  readonly isAbandonAsked?: true
  /** What Ana's attempt comes to, and about whom where it ends the process. */
  readonly answer:
    | 'run'
    | 'busy'
    | 'silent'
    | 'external'
    | 'abandoned(sweep) about the holder'
    | 'abandoned(reconciled_request) about the starter'
    | 'abandoned(reconciled_request) about nobody'
  readonly scenario: number
}

const asked = { isAbandonAsked: true } as const
const dead = { isProvenDead: true } as const

/** The table of recovery: each of its rows in each state in which a lease may be left. */
const TABLE: readonly Recovery[] = [
  { disposition: 'externally_owned', left: 'never begun', answer: 'external', scenario: 171 },
  {
    disposition: 'externally_owned',
    left: 'never begun',
    ...asked,
    answer: 'abandoned(reconciled_request) about nobody',
    scenario: 172,
  },
  { disposition: 'rerunnable', left: 'never begun', answer: 'run', scenario: 178 },
  { disposition: 'rerunnable', left: 'never begun', ...asked, answer: 'run', scenario: 178 },
  { disposition: 'rerunnable', left: 'begun', answer: 'busy', scenario: 90 },
  { disposition: 'rerunnable', left: 'entered', answer: 'busy', scenario: 90 },
  { disposition: 'rerunnable', left: 'entered', ...dead, answer: 'run', scenario: 99 },
  { disposition: 'rerunnable', left: 'entered', ...dead, ...asked, answer: 'run', scenario: 178 },
  { disposition: 'rerunnable', left: 'entered, lapsed', answer: 'run', scenario: 178 },
  { disposition: 'rerunnable', left: 'entered, lapsed', ...asked, answer: 'run', scenario: 178 },
  { disposition: 'rerunnable', left: 'entered, released', answer: 'run', scenario: 178 },
  { disposition: 'owner_bound', left: 'never begun', answer: 'run', scenario: 177 },
  { disposition: 'owner_bound', left: 'never begun', ...asked, answer: 'run', scenario: 177 },
  { disposition: 'owner_bound', left: 'begun', answer: 'busy', scenario: 90 },
  { disposition: 'owner_bound', left: 'begun', ...dead, ...asked, answer: 'run', scenario: 177 },
  { disposition: 'owner_bound', left: 'entered', answer: 'busy', scenario: 90 },
  { disposition: 'owner_bound', left: 'entered', ...asked, answer: 'busy', scenario: 175 },
  {
    disposition: 'owner_bound',
    left: 'entered',
    ...dead,
    answer: 'abandoned(sweep) about the holder',
    scenario: 173,
  },
  {
    disposition: 'owner_bound',
    left: 'entered',
    ...dead,
    ...asked,
    answer: 'abandoned(sweep) about the holder',
    scenario: 173,
  },
  {
    disposition: 'owner_bound',
    left: 'entered, lapsed',
    ...dead,
    answer: 'abandoned(sweep) about the holder',
    scenario: 173,
  },
  {
    disposition: 'owner_bound',
    left: 'entered, lapsed',
    ...asked,
    answer: 'abandoned(reconciled_request) about the starter',
    scenario: 175,
  },
  { disposition: 'owner_bound', left: 'entered, lapsed', answer: 'silent', scenario: 174 },
  { disposition: 'owner_bound', left: 'entered, released', answer: 'silent', scenario: 174 },
  {
    disposition: 'owner_bound',
    left: 'entered, released',
    ...asked,
    answer: 'abandoned(reconciled_request) about the starter',
    scenario: 175,
  },
]

export function recoveryCases(it: Case): void {
  for (const row of TABLE) {
    const { disposition, left, isProvenDead, isAbandonAsked, answer, scenario } = row
    const facts = [
      ...(isProvenDead === undefined ? [] : ['its holder proven dead']),
      ...(isAbandonAsked === undefined ? [] : ['asked to be abandoned']),
    ]
    it(`${[disposition, left, ...facts].join(', ')}: ${answer} (§6 #${scenario})`, async world => {
      expect(await recover(world, row)).toBe(answer)
    })
  }

  it('a year alone ends no process, in whatever state it is (§6 #174)', async world => {
    const ids = await oneOfEachState(world)
    const { registry, clock } = world
    for (let fortnight = 0; fortnight < 26; fortnight++) {
      clock.advance(14 * 86_400_000)
      for (const id of await world.due()) {
        const { type } = await world.begin(id, { worker: ANA })
        expect({ id, type }).not.toEqual({ id, type: 'settle' })
      }
    }
    for (const id of ids) {
      expect({ id, status: (await world.record(id)).status }).toEqual({ id, status: 'running' })
      const types = await world.eventTypes(id)
      expect(types.filter(type => /completed|failed|cancelled|abandoned/.test(type))).toEqual([])
    }
    expect((await registry.list({ silent: true })).records.map(({ id }) => id)).toEqual([
      'released',
      'silent',
    ])
  })

  it('a cancel settled after a crash lists the effects that nobody can vouch for', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id, { worker: BEN })
    const entry = {
      processId: id,
      epoch: 0,
      position: 1,
      address: 'charge#1',
      kind: 'step',
      effect: 'once',
      digest: 'd',
      status: 'claimed',
      operationId: 'op_1',
      attempt: lease.owner.incarnationId,
      fence: lease.fencingToken,
      startedAtMs: world.clock.now(),
    } as const
    await registry.saveJournalEntry(lease, entry)
    await registry.requestCancel(id, 'enough')
    await registry.proveWorkerDead(BEN)
    expect(await world.begin(id)).toMatchObject({
      type: 'settle',
      outcome: {
        status: 'cancelled',
        message: 'enough',
        raw: { unknownEffects: [{ step: 'charge#1', operationId: 'op_1' }] },
      },
    })
  })
}

async function recover(world: World, row: Recovery): Promise<string> {
  const { registry } = world
  const { disposition } = row
  const id = await world.register(disposition === 'externally_owned' ? EXTERNAL : { disposition })
  const lease = await leave(world, id, row.left)
  if (row.isAbandonAsked) await registry.requestAbandon(id, { requestedBy: 'ana' })
  const evidence = row.isProvenDead && lease && evidenceAbout(lease)
  const answer = await world.begin(id, { worker: ANA, ...(evidence === undefined ? {} : { evidence }) })
  if (answer.type !== 'settle') {
    // Nobody was claimed, or somebody runs it: in no case was anything ended.
    expect(await world.record(id)).toMatchObject({ status: 'running' })
    return answer.type
  }
  const { outcome } = await registry.completeWithLease(answer.lease, answer.outcome)
  if (outcome?.status !== 'abandoned') expect.fail(JSON.stringify(outcome))
  const { writer, owner } = outcome.evidence
  const isHolder = owner !== undefined && owner.incarnationId === lease?.owner.incarnationId
  return `abandoned(${writer}) about ${owner === undefined ? 'nobody' : isHolder ? 'the holder' : 'the starter'}`
}

async function leave(world: World, id: string, left: Left): Promise<ProcessLease | undefined> {
  if (left === 'never begun') return undefined
  if (left === 'begun') return world.run(id, { worker: BEN })
  const lease = await world.start(id, { worker: BEN })
  if (left === 'entered, lapsed') world.clock.advance(TTL)
  if (left === 'entered, released') await world.registry.endAttempt(lease, 'shutdown')
  return lease
}

const evidenceAbout = ({ owner, fencingToken }: ProcessLease): DeathEvidence => ({
  incarnationId: owner.incarnationId,
  fence: fencingToken,
})

async function oneOfEachState(world: World): Promise<string[]> {
  const { registry, clock } = world
  const bound = { disposition: 'owner_bound' } as const
  const states: Readonly<Record<string, () => Promise<unknown>>> = {
    registered: () => world.register({ id: 'registered' }),
    begun: async () => world.run(await world.register({ id: 'begun' })),
    entered: async () => world.start(await world.register({ id: 'entered' })),
    failed: async () =>
      registry.endAttempt(await world.start(await world.register({ id: 'failed' })), 'transient_error'),
    parked: async () =>
      registry.park(await world.start(await world.register({ id: 'parked' })), [timer('open', clock.now())]),
    napping: async () =>
      registry.park(await world.start(await world.register({ id: 'napping' })), [
        timer('nap', clock.now(), clock.now() + 60_000),
      ]),
    unstarted: async () => world.run(await world.register({ id: 'unstarted', ...bound })),
    silent: async () => world.start(await world.register({ id: 'silent', ...bound })),
    released: async () =>
      registry.endAttempt(await world.start(await world.register({ id: 'released', ...bound })), 'shutdown'),
    external: () => world.register({ id: 'external', ...EXTERNAL }),
  }
  for (const make of Object.values(states)) await make()
  return Object.keys(states)
}
