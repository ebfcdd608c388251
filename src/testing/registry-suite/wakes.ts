import { expect } from 'vitest'
import { RESERVED_EVENT_TYPES, wakeOn } from '../../model/event.ts'
import type { WakeSpec } from '../../model/event-semantics.ts'
import type { Json } from '../../model/json.ts'
import type { RegistrationRequest } from '../../model/registration.ts'
import { COMPLETED, EXTERNAL, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const TARGET = { sessionId: 's', agentFrameId: 'f' }
const waking = (wake: WakeSpec, patch: Partial<RegistrationRequest> = {}): Partial<RegistrationRequest> => ({
  wakeTarget: TARGET,
  eventTypes: [{ name: 'news', payloadSchema: true, semantics: { wake } }],
  ...patch,
})
const news = (payload: Json) => ({ eventType: 'news', payload })

const INPUTS: readonly { readonly input: WakeSpec['input']; readonly text: string }[] = [
  { input: 'payload', text: '{"who":"ana"}' },
  { input: { pointer: '/who' }, text: 'ana' },
  { input: { const: 'somebody came' }, text: 'somebody came' },
  { input: { template: '{who} came', fields: { who: { pointer: '/who' } } }, text: 'ana came' },
]

export function wakeCases(it: Case): void {
  it('a delivery says to whom, from what and because of what (§6 #55)', async ({
    registry,
    clock,
    register,
  }) => {
    const causedBy = { type: 'turn', sessionId: 's', turnId: 't' } as const
    const provenance = { originator: { type: 'session', scope: { sessionId: 's' } }, causedBy } as const
    const id = await register(waking({ input: { pointer: '/who' } }, { provenance }))
    clock.advance(9)
    const { event, wakeDelivery } = await registry.append(id, news({ who: 'ana' }))
    expect(wakeDelivery).toEqual({
      wakeId: expect.stringMatching(/^wake:[0-9a-f]{64}$/),
      targetSessionId: 's',
      targetScopeId: 'session:s/frame:f',
      processId: id,
      sequence: 1,
      eventType: 'news',
      eventInvocation: event.invocation,
      processCausedBy: causedBy,
      dedupeKey: `${id}:1`,
      input: 'ana',
      createdAtMs: clock.now(),
    })
    expect((await registry.wakesOf(id)).map(({ delivery }) => delivery)).toEqual([wakeDelivery])
  })

  for (const { input, text } of INPUTS) {
    it(`the text of ${JSON.stringify(input)} is "${text}" (§6 #49)`, async ({ registry, register }) => {
      const id = await register(waking({ input }))
      expect((await registry.append(id, news({ who: 'ana' }))).wakeDelivery?.input).toBe(text)
    })
  }

  it('each event is a wake of its own unless it says otherwise (§6 #50)', async ({ registry, register }) => {
    const id = await register(waking({ input: 'payload' }))
    for (const text of ['a', 'b']) await registry.append(id, news(text))
    const keys = (await registry.wakesOf(id)).map(({ delivery }) => delivery.dedupeKey)
    expect(keys).toEqual([`${id}:1`, `${id}:2`])
  })

  for (const dedupeKey of [{ const: 'daily' }, { selector: { pointer: '/day' } }] as const) {
    it(`wakes of one key and target are one wake: ${JSON.stringify(dedupeKey)} (§6 #51)`, async ({
      registry,
      register,
    }) => {
      const id = await register(waking({ input: 'payload', dedupeKey }))
      const ids: (string | undefined)[] = []
      for (const text of ['a', 'b']) {
        const { wakeDelivery } = await registry.append(id, news({ day: 1, text }))
        ids.push(wakeDelivery?.wakeId)
      }
      expect(new Set(ids).size).toBe(1)
      expect(await registry.wakesOf(id)).toMatchObject([{ delivery: { sequence: 1 } }])
      const other = { ...news({ day: 1 }), wakeTargetScope: { sessionId: 'other' } }
      await registry.append(id, other)
      expect(await registry.wakesOf(id)).toHaveLength(2)
    })
  }

  it('without a target the event is stored, nobody is woken, and nothing fails (§6 #53)', async ({
    registry,
    register,
  }) => {
    const id = await register({ eventTypes: waking({ input: 'payload' }).eventTypes ?? [] })
    const appended = await registry.append(id, news('a'))
    expect(appended).toMatchObject({ type: 'appended', event: { sequence: 1 } })
    expect(appended).not.toHaveProperty('wakeDelivery')
    expect(await registry.wakesOf(id)).toEqual([])
    expect(await registry.wakeEventsAfter(id, 0)).toHaveLength(1)
  })

  it('an append may name whom to wake', async ({ registry, register }) => {
    const id = await register(waking({ input: 'payload' }))
    const { wakeDelivery } = await registry.append(id, {
      ...news('a'),
      wakeTargetScope: { sessionId: 'other' },
    })
    expect(wakeDelivery).toMatchObject({ targetSessionId: 'other', targetScopeId: 'session:other' })
    const nobody = registry.append(id, { ...news('b'), wakeTargetScope: { sessionId: ' ' } })
    await refused(nobody, 'session_scope_invalid')
    expect(await registry.wakesOf(id)).toHaveLength(1)
  })

  it('a replay says the same wake again, and adds none', async world => {
    const { registry, clock } = world
    const id = await world.register(waking({ input: 'payload' }))
    const request = { ...news('a'), replayKey: 'k' }
    const first = await registry.append(id, request)
    clock.advance(9)
    await unchanged(world, id, async () => {
      expect(await registry.append(id, request)).toEqual({ ...first, type: 'replayed' })
    })
    expect(await registry.wakesOf(id)).toHaveLength(1)
  })

  it('a replay for another session wakes that as well', async ({ registry, register }) => {
    const id = await register(waking({ input: 'payload' }))
    const request = { ...news('a'), replayKey: 'k' }
    await registry.append(id, request)
    await registry.append(id, { ...request, wakeTargetScope: { sessionId: 'other' } })
    const targets = (await registry.wakesOf(id)).map(({ delivery }) => delivery.targetSessionId)
    expect(targets.toSorted()).toEqual(['other', 's'])
    expect(await registry.eventsAfter(id, 0)).toHaveLength(1)
  })

  it('an outcome wakes its session, by either door', async ({ registry, ...world }) => {
    const patch = { wakeTarget: TARGET, eventTypes: [wakeOn('process.completed', { input: 'payload' })] }
    const leased = await world.register({ id: 'leased', ...patch })
    await registry.completeWithLease(await world.start(leased), COMPLETED)
    const external = await world.register({ ...EXTERNAL, id: 'external', ...patch })
    await registry.complete(external, COMPLETED, { authority: 'external_owner', grantedTo: 's' })
    for (const id of [leased, external]) {
      expect(await registry.wakesOf(id)).toMatchObject([{ delivery: { eventType: 'process.completed' } }])
    }
  })

  it('a session hears when nobody can say what became of its work, and when somebody can', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound', wakeTarget: TARGET })
    const lease = await world.start(id)
    clock.advance(TTL)
    await world.begin(id)
    await registry.reacquire(lease, TTL)
    const types = (await registry.wakesOf(id)).map(({ delivery }) => delivery.eventType)
    expect(types).toEqual([RESERVED_EVENT_TYPES.ownerSilent, RESERVED_EVENT_TYPES.ownerBack])
  })

  it('an event that is refused wakes nobody', async ({ registry, register }) => {
    const id = await register(waking({ input: { pointer: '/who' } }))
    await refused(registry.append(id, news({})), 'process_event_selector')
    expect(await registry.wakesOf(id)).toEqual([])
  })
}
