import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createTriggerClient } from '../../src/client/triggers.ts'
import { occurFired } from '../../src/execution/occur-schedule.ts'
import { startTriggered } from '../../src/execution/start-triggered.ts'
import { defineEngine, type Host, type TriggerRequest } from '../../src/index.ts'
import { driveTriggers, TriggerDriver } from '../../src/maintenance/trigger-driver.ts'
import { FIRED } from '../../src/model/fired-schedule.ts'
import { TRIGGERS, triggeredProcessId } from '../../src/model/trigger.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { nextOccurrence } from '../../src/runtime/triggers/schedule.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { eventually } from '../support/eventually.ts'
import { openStage } from './stage.ts'

const SESSION = { sessionId: 's' }
/** A Sunday; the day after, clocks go back in Berlin at 03:00. */
const START = Date.parse('2026-10-24T12:00:00Z')

const engines = {
  build: defineEngine({
    disposition: 'rerunnable',
    input: z.object({ of: z.string() }),
    run: ctx => ctx.input.of,
  }),
  echo: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.input }),
  owned: defineEngine({ disposition: 'owner_bound', run: () => 1 }),
}

function openTriggers() {
  const clock = createManualClock(START)
  const stage = openStage({ store: createMemoryStore({ clock: clock.now }), engines })
  const { environment } = stage.addWorker()
  const { registry } = stage
  const triggers = createTriggerClient(environment.host, async () => registry)
  return {
    clock,
    stage,
    registry,
    environment,
    triggers,
    drive: async () => (await driveTriggers(environment)).reports,
  }
}

const push: TriggerRequest = { id: 'ci', on: { event: 'push' }, start: { kind: 'build' } }
const payload = { of: 'main' }

describe('an event that is emitted', () => {
  test('starts one process for each trigger that is on, and says which (§6 #210)', async () => {
    const { triggers, stage, registry } = openTriggers()
    const { trigger } = await triggers.add({
      ...push,
      start: { kind: 'build', session: SESSION, label: 'ci' },
    })
    await triggers.add({ id: 'log', on: { event: 'push' }, start: { kind: 'echo', input: { fixed: 1 } } })
    const { occurrenceId, deliveries } = await triggers.emit('push', payload, { key: 'k1' })
    const processId = triggeredProcessId(occurrenceId, trigger)
    expect(deliveries).toMatchObject([
      { triggerId: 'ci', processId, status: 'started' },
      { triggerId: 'log', status: 'started' },
    ])
    expect(processId).toMatch(/^process:trigger:[0-9a-f]{64}$/)
    expect(await stage.record(processId)).toMatchObject({
      disposition: 'rerunnable',
      wakeTarget: SESSION,
      identity: { kind: 'build', label: 'ci' },
      envRef: expect.stringMatching(/^process-env:/),
      provenance: {
        originator: { type: 'session', scope: SESSION },
        causedBy: {
          type: 'trigger_occurrence',
          occurrenceId: 'event:push:k1',
          subscriptionId: 'ci',
          subscriptionIncarnation: trigger.incarnation,
          subscriptionRevision: 1,
        },
      },
    })
    expect(await registry.hasGrant(SESSION, processId)).toBe(true)
    expect(await stage.outcome(processId)).toEqual({ status: 'completed', value: 'main' })
    expect(await stage.outcome(deliveries[1]?.processId ?? '')).toMatchObject({ value: { fixed: 1 } })
    const found = await registry.list({ status: 'any', causedByOccurrenceId: 'event:push:k1' })
    expect(found.records).toHaveLength(2)
  })

  test('twice under one key starts one process, and says that it is reserved already (§6 #213)', async () => {
    const { triggers, registry } = openTriggers()
    await triggers.add(push)
    const first = await triggers.emit('push', payload, { key: 'k1' })
    const [delivery] = first.deliveries
    expect(await triggers.emit('push', payload, { key: 'k1' })).toEqual({
      ...first,
      deliveries: [{ triggerId: 'ci', processId: delivery?.processId, status: 'already_reserved' }],
    })
    expect((await registry.list({ status: 'any' })).records).toHaveLength(1)
    const conflict = triggers.emit('push', { of: 'other' }, { key: 'k1' })
    await expect(conflict).rejects.toMatchObject({ code: 'trigger_occurrence_conflict' })
    await triggers.emit('push', payload)
    expect((await registry.list({ status: 'any' })).records).toHaveLength(2)
  })

  test('succeeds although a start fails; that is reported, and tried again with what was ordered then', async () => {
    const { triggers, clock, stage, registry, drive } = openTriggers()
    await triggers.add(push)
    await triggers.add({ id: 'log', on: { event: 'push' }, start: { kind: 'echo' } })
    const { deliveries } = await triggers.emit('push', { wrong: true }, { key: 'k1' })
    expect(deliveries).toMatchObject([
      { triggerId: 'ci', status: 'failed', reason: expect.stringContaining('kind "build"') },
      { triggerId: 'log', status: 'started' },
    ])
    await triggers.remove('ci')
    // Somewhere else the kind is another one, and takes it.
    const other: Host = { ...stage.addWorker().environment.host, engines: { build: engines.echo } }
    clock.advance(TRIGGERS.retryAfterMs(1))
    expect(await drive()).toMatchObject([{ status: 'failed' }])
    clock.advance(TRIGGERS.retryAfterMs(2))
    const [due] = await registry.dueDeliveries()
    if (due === undefined) expect.fail('nothing is due')
    expect(await startTriggered({ host: other, registry }, due)).toMatchObject({ status: 'started' })
    expect(await drive()).toEqual([])
  })

  test('nobody started in time is started by the workers, once (§6 #210)', async () => {
    const { triggers, clock, stage, registry, drive } = openTriggers()
    await triggers.add(push)
    const source = { type: 'event', name: 'push' } as const
    const occurrence = { occurrenceId: 'event:push:k1', source, payload }
    const { deliveries } = await registry.recordOccurrence(occurrence)
    await triggers.add({ ...push, start: { kind: 'echo', input: 'another order' } })
    expect(await drive()).toEqual([])
    clock.advance(TRIGGERS.firstTryMs)
    expect(await Promise.all([drive(), drive()])).toMatchObject([
      [{ status: 'started' }],
      [{ status: 'started' }],
    ])
    expect(await drive()).toEqual([])
    expect((await registry.list({ status: 'any' })).records).toHaveLength(1)
    expect(await stage.outcome(deliveries[0]?.processId ?? '')).toMatchObject({ value: 'main' })
  })

  test('whose process is there, or was there and is pruned, starts nothing (§6 #211)', async () => {
    const { triggers, clock, stage, registry, drive, environment } = openTriggers()
    await triggers.add(push)
    const source = { type: 'event', name: 'push' } as const
    const { deliveries } = await registry.recordOccurrence({ occurrenceId: 'o', source, payload })
    const [delivery] = deliveries
    if (delivery === undefined) expect.fail('nothing is reserved')
    // Started, and killed before that was noted.
    const settle = registry.settleDelivery
    const dying = { ...registry, settleDelivery: () => Promise.reject(new Error('killed')) }
    await expect(startTriggered({ ...environment, registry: dying }, delivery)).rejects.toThrow('killed')
    expect(registry.settleDelivery).toBe(settle)
    await stage.outcome(delivery.processId)
    clock.advance(TRIGGERS.firstTryMs)
    expect(await drive()).toMatchObject([{ status: 'started' }])
    clock.advance(1)
    await registry.prune({ before: clock.now() })
    // Somebody who has seen the reservation before all that.
    expect(await startTriggered(environment, delivery)).toMatchObject({ status: 'started' })
    expect((await registry.list({ status: 'any' })).records).toEqual([])
  })
})

describe('a schedule', () => {
  const nightly: TriggerRequest = {
    id: 'nightly',
    on: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    start: { kind: 'echo' },
  }

  test('occurs by the clock of its time zone, also where that changes', async () => {
    const { triggers, clock, stage, drive } = openTriggers()
    const { trigger } = await triggers.add(nightly)
    const times = ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z', '2026-10-27T01:30:00.000Z']
    expect(trigger.nextAtMs).toBe(Date.parse(times[0] ?? ''))
    for (const scheduledAt of times) {
      clock.advance(Date.parse(scheduledAt) - clock.now() - 1)
      expect(await drive()).toEqual([])
      clock.advance(1)
      const [report] = await drive()
      expect(await stage.outcome(report?.processId ?? '')).toEqual({
        status: 'completed',
        value: { triggerId: 'nightly', scheduledAt },
      })
    }
  })

  test('that nobody had time for occurs once for all that was missed', async () => {
    const { triggers, clock, drive } = openTriggers()
    await triggers.add(nightly)
    clock.advance(10 * 24 * 3_600_000)
    expect(await drive()).toMatchObject([{ triggerId: 'nightly', status: 'started' }])
    expect(await drive()).toEqual([])
    expect((await triggers.get('nightly'))?.nextAtMs).toBe(Date.parse('2026-11-04T01:30:00Z'))
  })

  test('that was missed for longer than its catch-up window occurs for what is within it, or not at all', async () => {
    const { triggers, clock, drive, stage } = openTriggers()
    const hour = 3_600_000
    await triggers.add({ ...nightly, on: { cron: '0 * * * *', catchUpMs: 2 * hour } })
    await triggers.add({ ...nightly, id: 'daily', on: { cron: '0 13 * * *', catchUpMs: 2 * hour } })
    clock.advance(5.5 * hour)
    const [report, ...none] = await drive()
    expect(none).toEqual([])
    expect(await stage.outcome(report?.processId ?? '')).toMatchObject({
      value: { triggerId: 'nightly', scheduledAt: '2026-10-24T16:00:00.000Z' },
    })
    expect((await triggers.list()).map(({ nextAtMs }) => new Date(nextAtMs ?? 0).toISOString())).toEqual([
      '2026-10-25T13:00:00.000Z',
      '2026-10-24T18:00:00.000Z',
    ])
  })

  test('that many workers see due occurs once', async () => {
    const { triggers, clock, registry, drive } = openTriggers()
    await triggers.add(nightly)
    clock.advance(24 * 3_600_000)
    await Promise.all([drive(), drive(), drive()])
    expect((await registry.list({ status: 'any' })).records).toHaveLength(1)
  })

  test('that this Node cannot read stays due, and keeps no other from its time', async () => {
    const { triggers, clock, registry, environment } = openTriggers()
    await triggers.add(nightly)
    const source = { type: 'schedule', cron: '30 2 * * *', timeZone: 'Europe/Atlantis' } as const
    await registry.saveTrigger(
      { triggerId: 'lost', source, start: { kind: 'echo' } },
      { nextAtMs: clock.now() },
    )
    clock.advance(24 * 3_600_000)
    expect(await driveTriggers(environment)).toMatchObject({
      reports: [{ triggerId: 'nightly', status: 'started' }],
      unreadable: [{ triggerId: 'lost', reason: expect.stringContaining('"Europe/Atlantis"') }],
    })
    expect(await registry.dueSchedules()).toMatchObject([{ triggerId: 'lost' }])
  })

  test('that is paused does not occur, and goes on at its next time', async () => {
    const { triggers, clock, drive } = openTriggers()
    await triggers.add(nightly)
    expect(await triggers.pause('nightly')).not.toHaveProperty('nextAtMs')
    clock.advance(3 * 24 * 3_600_000)
    expect(await drive()).toEqual([])
    expect(await triggers.resume('nightly')).toMatchObject({
      nextAtMs: Date.parse('2026-10-28T01:30:00Z'),
      isPaused: false,
    })
  })

  test.each([
    ['daily in UTC', '0 7 * * *', 'UTC', '2026-10-24T12:00:00Z', '2026-10-25T07:00:00Z'],
    ['with seconds', '*/15 * * * * *', 'UTC', '2026-10-24T12:00:00Z', '2026-10-24T12:00:15Z'],
    ['on weekdays', '0 9 * * 1-5', 'America/New_York', '2026-10-24T12:00:00Z', '2026-10-26T13:00:00Z'],
    ['on a leap day', '0 0 29 2 *', 'UTC', '2026-10-24T12:00:00Z', '2028-02-29T00:00:00Z'],
    ['by a nickname', '@hourly', 'Asia/Kolkata', '2026-10-24T12:00:00Z', '2026-10-24T12:30:00Z'],
  ])('%s', (_, cron, timeZone, after, next) => {
    expect(nextOccurrence({ type: 'schedule', cron, timeZone }, Date.parse(after))).toBe(Date.parse(next))
  })
})

describe('a schedule that a backend tells of', () => {
  const nightly = (timeZone: string): TriggerRequest => ({
    id: 'nightly',
    on: { cron: '30 2 * * *', timeZone },
    start: { kind: 'echo' },
  })
  const openTold = async (timeZone = 'Europe/Berlin', from = '2026-11-20T12:00:00Z') => {
    const world = openTriggers()
    world.clock.advance(Date.parse(from) - world.clock.now())
    const { trigger } = await world.triggers.add(nightly(timeZone))
    const { triggerId, incarnation, revision, nextAtMs = 0 } = trigger
    const made = { triggerId, incarnation, revision }
    return {
      ...world,
      nextAtMs,
      drive: () => driveTriggers(world.environment, { hasBackendSchedules: true }),
      fire: (scheduledAtMs = nextAtMs) => occurFired(world.environment, { ...made, scheduledAtMs }),
      count: async () => (await world.registry.list({ status: 'any' })).records.length,
    }
  }

  test('is left to it, occurs as it says so, and however often it does, once (§6 #211)', async () => {
    const { clock, drive, fire, count, nextAtMs, stage } = await openTold()
    expect(await fire()).toEqual({ type: 'not_due' })
    clock.advance(nextAtMs - clock.now())
    expect(await drive()).toMatchObject({ reports: [], isAnyLeft: true })
    const answers = await Promise.all([fire(), fire(), fire()])
    const occurred = answers.flatMap(answer => (answer.type === 'occurred' ? [answer.report] : []))
    expect(occurred).toMatchObject([{ triggerId: 'nightly', status: 'started' }])
    expect(await stage.outcome(occurred[0]?.processId ?? '')).toMatchObject({
      value: { triggerId: 'nightly', scheduledAt: '2026-11-21T01:30:00.000Z' },
    })
    clock.advance(FIRED.lateMs)
    expect(await drive()).toMatchObject({ reports: [], isAnyLeft: false })
    expect(await fire()).toEqual({ type: 'not_due' })
    expect(await count()).toBe(1)
  })

  test('occurs without it when it is late, and what it says then is nothing new (§6 #211)', async () => {
    const { clock, drive, fire, count, nextAtMs } = await openTold()
    clock.advance(nextAtMs - clock.now() + FIRED.lateMs)
    const [driven, ...fired] = await Promise.all([drive(), fire(), fire()])
    const started = driven.reports.length + fired.filter(({ type }) => type === 'occurred').length
    expect([started, await count()]).toEqual([1, 1])
  })

  test('that it has missed for days occurs once, whichever of its times it says first', async () => {
    const { clock, fire, count, nextAtMs, triggers } = await openTold()
    const day = 24 * 3_600_000
    clock.advance(nextAtMs - clock.now() + 3 * day + 1)
    expect(await fire(nextAtMs + day)).toMatchObject({ type: 'occurred' })
    for (const nth of [0, 1, 2, 3]) expect(await fire(nextAtMs + nth * day)).toEqual({ type: 'not_due' })
    expect(await count()).toBe(1)
    expect(await triggers.get('nightly')).toMatchObject({ nextAtMs: nextAtMs + 4 * day })
  })

  test('waits for the registry’s clock where the backend’s is ahead', async () => {
    const { clock, fire, nextAtMs } = await openTold()
    clock.advance(nextAtMs - clock.now() - 30)
    const early = fire()
    clock.advance(30)
    expect(await early).toMatchObject({ type: 'occurred' })
    const { fire: farAhead, nextAtMs: later } = await openTold()
    expect(await farAhead(later)).toEqual({ type: 'not_due' })
  })

  test('does not wait for it at a time that its calendars do not have', async () => {
    const left = await openTold('Europe/Berlin', '2027-03-27T12:00:00Z')
    expect(new Date(left.nextAtMs).toISOString()).toBe('2027-03-28T01:00:00.000Z')
    const offset = await openTold('+01:00')
    for (const { clock, drive, nextAtMs } of [left, offset]) {
      clock.advance(nextAtMs - clock.now())
      expect(await drive()).toMatchObject({ reports: [{ status: 'started' }], isAnyLeft: false })
    }
  })

  test('that was changed, paused or removed since is stale', async () => {
    const { clock, fire, count, nextAtMs, triggers } = await openTold()
    clock.advance(nextAtMs - clock.now())
    const changes = [
      () => triggers.add({ ...nightly('UTC') }),
      () => triggers.pause('nightly'),
      () => triggers.remove('nightly'),
      () => triggers.add(nightly('Europe/Berlin')),
    ]
    for (const change of changes) {
      await change()
      expect(await fire()).toEqual({ type: 'stale' })
    }
    expect(await count()).toBe(0)
  })
})

describe('a trigger is refused', () => {
  test.each<[string, TriggerRequest['on'], Partial<TriggerRequest['start']>, string]>([
    ['with too few fields', { cron: '* *' }, {}, 'five fields'],
    ['with no cron expression', { cron: '99 * * * *' }, {}, 'cannot be read'],
    ['that never occurs', { cron: '0 0 30 2 *' }, {}, 'never occurs'],
    ['with too short a window', { cron: '0 7 * * *', catchUpMs: 1_000 }, {}, 'catch-up window'],
    ['in no time zone', { cron: '0 7 * * *', timeZone: 'Mars/Olympus' }, {}, 'no time zone "Mars/Olympus"'],
    ['with a blank event', { event: ' ' }, {}, 'event name'],
    ['for work of others', { event: 'e' }, { kind: 'external' }, 'cannot start kind "external"'],
    ['for a kind that is not rerunnable', { event: 'e' }, { kind: 'owned' }, 'cannot start kind "owned"'],
    ['for a kind that is not there', { event: 'e' }, { kind: 'none' }, 'no engine "none"'],
    ['with an input that does not fit', { event: 'e' }, { kind: 'build', input: 1 }, 'kind "build"'],
    ['with an input that is no JSON', { event: 'e' }, { input: () => 1 }, 'plain JSON'],
  ])('%s, and nothing is stored', async (_, on, start, says) => {
    const { triggers } = openTriggers()
    const added = triggers.add({ id: 'bad', on, start: { kind: 'echo', ...start } })
    await expect(added).rejects.toThrow(says)
    expect(await triggers.list()).toEqual([])
  })

  test('when it is asked about and is not there', async () => {
    const { triggers } = openTriggers()
    for (const act of [triggers.pause, triggers.resume])
      await expect(act('none')).rejects.toMatchObject({ code: 'trigger_unknown' })
    expect(await triggers.remove('none')).toBe(false)
  })
})

test('a worker has schedules occur and starts what was reserved, by itself', async () => {
  const { triggers, registry, clock, environment } = openTriggers()
  await triggers.add({ id: 'soon', on: { cron: '* * * * *' }, start: { kind: 'echo' } })
  await triggers.add(push)
  const source = { type: 'event', name: 'push' } as const
  await registry.recordOccurrence({ occurrenceId: 'o', source, payload, isDueAtOnce: true })
  const driver = new TriggerDriver(environment)
  onTestFinished(() => driver.stop())
  driver.start()
  const count = async () => (await registry.list({ status: 'any' })).records.length
  await eventually(async () => expect(await count()).toBe(1))
  clock.advance(60_000)
  await eventually(async () => expect(await count()).toBe(2))
})
