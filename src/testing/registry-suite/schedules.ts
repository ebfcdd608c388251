import { expect } from 'vitest'
import type { TriggerOrder } from '../../model/trigger.ts'
import { type Case, refused } from './harness.ts'

const nightly: TriggerOrder = {
  triggerId: 'nightly',
  source: { type: 'schedule', cron: '0 3 * * *', timeZone: 'UTC' },
  start: { kind: 'build' },
}

export function scheduleCases(it: Case): void {
  it('a schedule occurs at its time, once for all who see it due, and goes on to the next', async ({
    registry,
    clock,
  }) => {
    const at = clock.now() + 1_000
    const { trigger } = await registry.saveTrigger(nightly, { nextAtMs: at })
    expect(await registry.dueSchedules()).toEqual([])
    expect(await registry.msUntilTriggerDue()).toBe(1_000)
    clock.advance(1_000)
    expect(await registry.dueSchedules()).toEqual([trigger])
    const record = () => registry.recordScheduled(trigger, { occursAtMs: at, nextAtMs: at + 5_000 })
    const recorded = (await Promise.all([record(), record(), record()])).filter(one => one !== undefined)
    expect(recorded).toMatchObject([
      {
        type: 'recorded',
        occurrence: {
          source: { type: 'schedule', triggerId: 'nightly' },
          payload: { triggerId: 'nightly', scheduledAt: new Date(at).toISOString() },
        },
        deliveries: [{ trigger: { triggerId: 'nightly', revision: 1 } }],
      },
    ])
    expect(await registry.dueSchedules()).toEqual([])
    expect(await registry.trigger('nightly')).toMatchObject({ nextAtMs: at + 5_000, revision: 1 })
    const later = { occursAtMs: at + 5_000 }
    await registry.recordScheduled((await registry.trigger('nightly')) ?? trigger, later)
    expect(await registry.trigger('nightly')).not.toHaveProperty('nextAtMs')
  })

  it('a schedule whose times are too long ago goes on to the next, and nothing occurs', async ({
    registry,
    clock,
  }) => {
    const nextAtMs = clock.now() + 60_000
    const { trigger } = await registry.saveTrigger(nightly, { nextAtMs: clock.now() })
    expect(await registry.recordScheduled(trigger, { nextAtMs })).toBeUndefined()
    expect(await registry.trigger('nightly')).toMatchObject({ nextAtMs, revision: 1 })
    expect(await registry.dueDeliveries()).toEqual([])
    // Whoever has seen it before does not have it occur either.
    expect(await registry.recordScheduled(trigger, { occursAtMs: clock.now(), nextAtMs })).toBeUndefined()
  })

  it('a schedule has a catch-up window of a minute at least', async ({ registry }) => {
    const within = (catchUpMs: number) =>
      ({ ...nightly, source: { type: 'schedule', cron: '0 3 * * *', timeZone: 'UTC', catchUpMs } }) as const
    for (const ms of [0, 59_999, 60_000.5, Number.NaN])
      await refused(registry.saveTrigger(within(ms)), 'trigger_invalid')
    expect(await registry.saveTrigger(within(60_000))).toMatchObject({ trigger: within(60_000) })
    expect(await registry.saveTrigger(nightly)).toMatchObject({ type: 'changed' })
  })

  it('a schedule that was changed, paused or removed since it was seen does not occur', async ({
    registry,
    clock,
  }) => {
    const nextAtMs = clock.now()
    const { trigger } = await registry.saveTrigger(nightly, { nextAtMs })
    await registry.pauseTrigger('nightly', true)
    expect(await registry.dueSchedules()).toEqual([])
    expect(await registry.recordScheduled(trigger, { occursAtMs: nextAtMs })).toBeUndefined()
    await registry.pauseTrigger('nightly', false, { nextAtMs })
    expect(await registry.recordScheduled(trigger, { occursAtMs: nextAtMs })).toBeUndefined()
    expect(await registry.dueSchedules()).toHaveLength(1)
    await registry.removeTrigger('nightly')
    expect(await registry.recordScheduled(trigger, { occursAtMs: nextAtMs })).toBeUndefined()
    expect(await registry.msUntilTriggerDue()).toBeUndefined()
  })
}
