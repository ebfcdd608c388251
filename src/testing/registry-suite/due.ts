import { expect } from 'vitest'
import { ANA, BEN, COMPLETED, EXTERNAL, registration, TTL, timer } from './fixtures.ts'
import type { Case, World } from './harness.ts'

interface DueCase {
  readonly after: string
  /** Milliseconds from the last write on; `never`: no row is due, ever. */
  readonly dueIn: number | 'never'
  readonly act: (world: World, id: string) => Promise<unknown>
}

const REF = { backend: 'temporal', id: 'p' }
const submit = async ({ registry, record }: World, id: string) =>
  registry.recordSubmitted(id, { ref: REF, ...(await record(id)) })
const park = async ({ registry, clock, start }: World, id: string, ms?: number) =>
  registry.park(await start(id), [timer('nap', clock.now(), ms && clock.now() + ms)])

const CASES: readonly DueCase[] = [
  { after: 'registering', dueIn: 2_000, act: async () => {} },
  { after: 'one submission', dueIn: 30_000, act: submit },
  {
    after: 'the second submission without an attempt',
    dueIn: 60_000,
    act: async (world, id) => {
      for (let count = 0; count < 2; count++) await submit(world, id)
    },
  },
  {
    after: 'the tenth submission without an attempt',
    dueIn: 600_000,
    act: async (world, id) => {
      for (let count = 0; count < 10; count++) await submit(world, id)
    },
  },
  { after: 'an attempt began', dueIn: TTL + 2_000, act: ({ run }, id) => run(id) },
  {
    after: 'its lease was renewed',
    dueIn: TTL + 2_000,
    act: async ({ registry, clock, run }, id) => {
      const lease = await run(id)
      clock.advance(10_000)
      await registry.renew(lease, TTL)
    },
  },
  {
    after: 'its lapsed lease was taken again',
    dueIn: TTL + 2_000,
    act: async ({ registry, clock, run }, id) => {
      const lease = await run(id)
      clock.advance(TTL)
      await registry.reacquire(lease, TTL)
    },
  },
  {
    after: 'a submission that an attempt overtook',
    dueIn: TTL + 2_000,
    act: async (world, id) => {
      await world.run(id)
      await world.registry.recordSubmitted(id, { ref: REF, attempts: 0, lastSequence: 0 })
    },
  },
  {
    after: 'the attempt ended by shutdown',
    dueIn: 0,
    act: async ({ registry, start }, id) => registry.endAttempt(await start(id), 'shutdown'),
  },
  {
    after: 'a first transient error',
    dueIn: 1_000,
    act: async ({ registry, start }, id) => registry.endAttempt(await start(id), 'transient_error'),
  },
  {
    after: 'a third transient error in a row',
    dueIn: 4_000,
    act: async ({ registry, start }, id) => {
      for (let count = 0; count < 3; count++) await registry.endAttempt(await start(id), 'transient_error')
    },
  },
  {
    after: 'a transient error that follows a park',
    dueIn: 1_000,
    act: async (world, id) => {
      const { registry, clock, start } = world
      for (let count = 0; count < 3; count++) await registry.endAttempt(await start(id), 'transient_error')
      await park(world, id, 10)
      clock.advance(10)
      await registry.endAttempt(await start(id), 'transient_error')
    },
  },
  { after: 'parking with a deadline', dueIn: 5_000, act: (world, id) => park(world, id, 5_000) },
  { after: 'parking without one', dueIn: 'never', act: (world, id) => park(world, id) },
  {
    after: 'an attempt that found it parked',
    dueIn: 5_000,
    act: async (world, id) => {
      await park(world, id, 6_000)
      world.clock.advance(1_000)
      await world.begin(id)
    },
  },
  {
    after: 'a cancel',
    dueIn: 0,
    act: ({ registry }, id) => registry.requestCancel(id),
  },
  {
    after: 'a cancel of a parked row',
    dueIn: 0,
    act: async (world, id) => {
      await park(world, id)
      await world.registry.requestCancel(id)
    },
  },
  {
    after: 'an abandon request',
    dueIn: 0,
    act: ({ registry }, id) => registry.requestAbandon(id, { requestedBy: 'ana' }),
  },
  {
    after: 'a proof of death with no token to fail',
    dueIn: 0,
    act: async ({ registry, start }, id) => {
      await start(id)
      await registry.proveWorkerDead(ANA)
    },
  },
  {
    after: 'a proof of death with a token to fail',
    dueIn: 2_000,
    act: async ({ registry, start }, id) => {
      await start(id, { backendToken: 'token-1' })
      await registry.proveWorkerDead(ANA)
    },
  },
  {
    after: 'the backend no longer knew that token',
    dueIn: 0,
    act: async ({ registry, start }, id) => {
      await start(id, { backendToken: 'token-1' })
      for (const orphan of await registry.proveWorkerDead(ANA)) {
        await registry.settleOrphan(orphan, { isGone: true })
      }
    },
  },
  {
    after: 'a terminal write under the lease',
    dueIn: 'never',
    act: async ({ registry, start }, id) => registry.completeWithLease(await start(id), COMPLETED),
  },
  {
    after: 'a terminal write on a parked row, whose run has to be told',
    dueIn: 0,
    act: async (world, id) => {
      await park(world, id)
      await world.registry.complete(id, COMPLETED, { authority: 'workflow_key', workflowKey: id })
    },
  },
  {
    after: 'that run was submitted to',
    dueIn: 30_000,
    act: async (world, id) => {
      await park(world, id)
      await world.registry.complete(id, COMPLETED, { authority: 'workflow_key', workflowKey: id })
      await submit(world, id)
    },
  },
  {
    after: 'that run has read the outcome',
    dueIn: 'never',
    act: async (world, id) => {
      await park(world, id)
      await world.registry.complete(id, COMPLETED, { authority: 'workflow_key', workflowKey: id })
      await submit(world, id)
      expect(await world.begin(id)).toEqual({ type: 'terminal', status: 'completed' })
    },
  },
  {
    after: 'a submission of a row that has ended',
    dueIn: 'never',
    act: async (world, id) => {
      await world.registry.completeWithLease(await world.start(id), COMPLETED)
      await submit(world, id)
    },
  },
  {
    after: 'another found it busy',
    dueIn: TTL + 2_000,
    act: async ({ run, begin }, id) => {
      await run(id)
      await begin(id, { worker: BEN })
    },
  },
]

export function dueCases(it: Case): void {
  for (const { after, dueIn, act } of CASES) {
    it(`after ${after}: ${dueIn === 'never' ? 'never' : `in ${dueIn} ms`}`, async world => {
      await act(world, await world.register())
      expect(await world.registry.msUntilDue()).toBe(dueIn === 'never' ? undefined : dueIn)
    })
  }

  it('after registering and claiming external work: never', async ({ registry, register }) => {
    const id = await register(EXTERNAL)
    expect(await registry.msUntilDue()).toBeUndefined()
    await registry.claim(id, ANA, TTL)
    expect(await registry.msUntilDue()).toBeUndefined()
  })

  it('after registering what nobody will submit: at once', async ({ registry }) => {
    await registry.register(registration({ id: 'inline' }), { isDueAtOnce: true })
    expect(await registry.msUntilDue()).toBe(0)
    expect((await registry.dueProcesses(10)).map(({ record }) => record.id)).toEqual(['inline'])
  })

  it('a drive by hand leaves nobody a moment to come first, but waits for what is parked or backs off (§3.5)', async world => {
    const { registry, clock, register, start } = world
    const [fresh, lapsed] = [await register({ id: 'fresh' }), await register({ id: 'lapsed' })]
    const held = await register({ id: 'held' })
    await start(lapsed)
    clock.advance(TTL)
    await start(held)
    const failed = await register({ id: 'failed' })
    await registry.endAttempt(await start(failed), 'transient_error')
    await park(world, await register({ id: 'parked' }), 1_000)
    const late = await register({ id: 'late' })
    const pending = async () => (await registry.pendingProcesses(10)).map(({ record }) => record.id).sort()
    expect(await pending()).toEqual([fresh, lapsed, late].sort())
    clock.advance(1_000)
    expect(await pending()).toEqual(['failed', fresh, lapsed, late, 'parked'].sort())
  })

  it('after an owner-bound row was found silent: never', async ({ registry, clock, ...world }) => {
    const id = await world.register({ disposition: 'owner_bound' })
    await world.start(id)
    clock.advance(TTL)
    expect(await world.begin(id)).toEqual({ type: 'silent' })
    expect(await registry.msUntilDue()).toBeUndefined()
  })

  it('an event, an external ref and the contract’s reads leave it alone', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register()
    clock.advance(500)
    await registry.append(id, { eventType: 'note', payload: null })
    await registry.setExternalRef(id, REF)
    await registry.recentEvents(id)
    expect(await registry.msUntilDue()).toBe(1_500)
  })
}
