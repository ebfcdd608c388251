import { expect } from 'vitest'
import type { ProcessEvent } from '../../model/event.ts'
import type { Json } from '../../model/json.ts'
import type { ProcessRecord } from '../../model/process.ts'
import { ANA, BEN, COMPLETED, EXTERNAL, OUTCOMES, TTL, timer } from './fixtures.ts'
import type { Case, World } from './harness.ts'

/** What the log alone says about a row. The lease, the count of attempts and the change position are not in it. */
type Told = Pick<
  ProcessRecord,
  | 'status'
  | 'lastSequence'
  | 'wakeTarget'
  | 'externalRef'
  | 'cancelRequest'
  | 'abandonRequest'
  | 'silentSinceMs'
> & { outcome?: Json; firstStarted?: Json }

const member = (payload: Json, name: string): Json | undefined =>
  typeof payload === 'object' && payload !== null && name in payload ? Reflect.get(payload, name) : undefined

type Registered = Partial<Pick<ProcessRecord, 'wakeTarget' | 'lastSequence'>>

function fold(registered: Registered, log: readonly ProcessEvent[]): Record<string, unknown> {
  const told: Record<string, unknown> = { status: 'running', lastSequence: 0, ...registered }
  for (const { eventType, payload, sequence, occurredAtMs } of log) {
    told.lastSequence = sequence
    switch (eventType) {
      case 'process.first_started':
        told.firstStarted = payload
        break
      case 'process.external_ref_set':
        told.externalRef = payload
        break
      case 'process.abandon_requested':
        told.abandonRequest = payload
        break
      case 'process.cancel_requested': {
        const reason = member(payload, 'reason')
        told.cancelRequest ??= { requestedAtMs: occurredAtMs, ...(reason === null ? {} : { reason }) }
        if (member(payload, 'force') === true)
          told.cancelRequest = { forcedAtMs: occurredAtMs, ...Object(told.cancelRequest) }
        break
      }
      case 'process.wake_target_cleared':
        delete told.wakeTarget
        break
      case 'process.owner_silent':
        told.silentSinceMs = occurredAtMs
        break
      case 'process.owner_back':
        delete told.silentSinceMs
        break
      case 'process.completed':
      case 'process.failed':
      case 'process.cancelled':
      case 'process.abandoned':
        told.status = eventType.slice('process.'.length)
        told.outcome = member(payload, 'await_output')
        delete told.silentSinceMs
        break
      case 'declined':
        told.status = 'failed'
        told.outcome = {
          ...{ status: 'failed', class: 'execution', code: 'process_failed' },
          ...{ message: member(payload, 'why'), raw: member(payload, 'why') },
        }
        break
    }
  }
  return told
}

export async function expectFold(
  { registry, record }: World,
  id: string,
  registered: Registered = {},
): Promise<void> {
  const {
    status,
    lastSequence,
    externalRef,
    cancelRequest,
    abandonRequest,
    silentSinceMs,
    outcome,
    firstStarted,
    wakeTarget,
  } = await record(id)
  const told: { [Field in keyof Told]: unknown } = {
    status,
    lastSequence,
    externalRef,
    cancelRequest,
    abandonRequest,
    silentSinceMs,
    outcome,
    firstStarted,
    wakeTarget,
  }
  expect(fold(registered, await registry.eventsAfter(id, 0))).toEqual(
    Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)),
  )
}

export function foldCases(it: Case): void {
  it('holds at every turn of a rerunnable process (§6 #45)', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const turns: readonly (() => Promise<unknown>)[] = [
      () =>
        registry.recordSubmitted(id, {
          ref: { backend: 'temporal', id, metadata: [1] },
          attempts: 0,
          lastSequence: 0,
        }),
      () => world.start(id, { attempt: 'one' }),
      () => registry.append(id, { eventType: 'note', payload: { a: 1 } }),
      async () => clock.advance(TTL),
      async () => registry.park(await world.start(id), [timer('nap', clock.now(), clock.now() + 50)]),
      () => registry.requestCancel(id),
      () => registry.requestCancel(id, 'enough'),
      () => registry.requestAbandon(id, { requestedBy: 'ana' }),
      async () => {
        const answer = await world.begin(id)
        if (answer.type === 'settle') await registry.completeWithLease(answer.lease, answer.outcome)
      },
      () => registry.append(id, { eventType: 'note', payload: 'late' }),
    ]
    for (const turn of turns) {
      clock.advance(1)
      await turn()
      await expectFold(world, id)
    }
    expect(await world.record(id)).toMatchObject({ status: 'cancelled' })
  })

  it('holds at every turn of an owner-bound process (§6 #45)', async world => {
    const { registry, clock } = world
    const wakeTarget = { sessionId: 's' }
    const id = await world.register({ disposition: 'owner_bound', wakeTarget })
    const lease = await world.start(id, { worker: BEN })
    const turns: readonly (() => Promise<unknown>)[] = [
      async () => clock.advance(TTL),
      () => registry.recordFirstStarted(id, { owner: ANA, startedAtMs: 1 }),
      () => world.begin(id, { worker: ANA }),
      () => registry.reacquire(lease, TTL),
      async () => clock.advance(TTL),
      () => world.begin(id, { worker: ANA }),
      () => registry.deleteSessionState('s'),
      () => registry.proveWorkerDead(BEN),
      async () => {
        const answer = await world.begin(id)
        if (answer.type === 'settle') await registry.completeWithLease(answer.lease, answer.outcome)
      },
    ]
    for (const turn of turns) {
      clock.advance(1)
      await turn()
      await expectFold(world, id, { wakeTarget })
    }
    expect(await world.record(id)).toMatchObject({ status: 'abandoned' })
  })

  for (const outcome of [COMPLETED, OUTCOMES.failed]) {
    it(`holds for a process that ${outcome.status} (§6 #45)`, async world => {
      const id = await world.register()
      await world.registry.completeWithLease(await world.start(id), outcome)
      await expectFold(world, id)
    })
  }

  it('holds for a process that an event of its own ends (§6 #45)', async world => {
    const semantics = { terminal: { state: 'failed', awaitOutput: { pointer: '/why' } } } as const
    const eventTypes = [{ name: 'declined', payloadSchema: true, semantics }]
    const id = await world.register({ ...EXTERNAL, eventTypes })
    await world.registry.append(id, { eventType: 'declined', payload: { why: 'too late' }, replayKey: 'k' })
    await expectFold(world, id)
    expect(await world.record(id)).toMatchObject({ status: 'failed' })
  })
}
