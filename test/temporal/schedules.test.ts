import { Client, ScheduleNotFoundError, ScheduleOverlapPolicy, type WorkflowHandle } from '@temporalio/client'
import { ValueError } from '@temporalio/common'
import proto from '@temporalio/proto'
import { Cron } from 'croner'
import { expect, test } from 'vitest'
import { checkSchedules } from '../../src/cli/doctor/schedules-check.ts'
import { createTemporalSchedules } from '../../src/client/temporal-schedules.ts'
import {
  defaultTaskQueue,
  OCCURRENCE_WORKFLOW_TYPE,
  REGISTRY_MEMO,
  schedulePrefix,
} from '../../src/contract.ts'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import { defineEngine } from '../../src/index.ts'
import { ScheduleKeeper } from '../../src/maintenance/schedule-keeper.ts'
import { allTriggers } from '../../src/registry/all-triggers.ts'
import { isOnCalendar } from '../../src/runtime/triggers/calendar.ts'
import { createEncryptingConverter } from '../support/encrypting-converter.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld, silentLogger } from '../support/temporal-world.ts'

const engines = { note: defineEngine({ disposition: 'rerunnable', run: () => 'noted' }) }
const start = { kind: 'note' }

type World = Pick<Awaited<ReturnType<typeof openWorld>>, 'temporal' | 'registry'>
const scheduleOf = ({ temporal, registry }: World, triggerId: string) =>
  temporal.schedule.getHandle(schedulePrefix(registry.registryId) + triggerId)
const isGone = (handle: ReturnType<typeof scheduleOf>): Promise<boolean> =>
  handle.describe().then(
    () => false,
    error => error instanceof ScheduleNotFoundError,
  )

/** What the schedule's workflows came to, those that are over. */
async function answersOf(temporal: Client, scheduleId: string): Promise<unknown[]> {
  const answers: unknown[] = []
  const query = `TemporalScheduledById = "${scheduleId}" and ExecutionStatus = "Completed"`
  for await (const { workflowId, runId } of temporal.workflow.list({ query }))
    answers.push(await temporal.workflow.getHandle(workflowId, runId).result())
  return answers
}

async function firstTask(workflow: WorkflowHandle) {
  const { events } = await workflow.fetchHistory()
  return events?.find(event => event.workflowTaskCompletedEventAttributes != null)?.eventId
}

const momentOf = (atMs: number) => proto.google.protobuf.Timestamp.fromObject({ seconds: atMs / 1_000 })

test('a trigger’s schedule is one of Temporal’s: there, fired, paused, changed and removed with it', async () => {
  // Through a codec, as everything else.
  const { payloadCodecs = [] } = createEncryptingConverter()
  await using world = await openWorld({ engines, dataConverter: { payloadCodecs } })
  const { triggers } = world.processes
  const { registry } = world
  await world.startWorker()
  await triggers.add({ id: 'each second', on: { cron: '* * * * * *', timeZone: 'Europe/Berlin' }, start })
  const handle = scheduleOf(world, 'each second')
  const started = async () => (await registry.list({ status: 'any' })).records
  await eventually(async () => expect((await started()).length).toBeGreaterThan(1))

  const described = await handle.describe()
  expect(described).toMatchObject({
    spec: { timezone: 'Europe/Berlin', calendars: [{ comment: '* * * * * *' }] },
    action: { workflowType: OCCURRENCE_WORKFLOW_TYPE, taskQueue: defaultTaskQueue(registry.registryId) },
    memo: { [REGISTRY_MEMO]: registry.registryId, leaseholdTriggerId: 'each second' },
    state: {
      paused: false,
      note: expect.stringContaining(
        '* * * * * * (Europe/Berlin) starts note. Trigger "each second", revision 1',
      ),
    },
  })
  await eventually(async () =>
    expect(await answersOf(world.temporal, described.scheduleId)).toContainEqual({
      status: 'occurred',
      processId: expect.stringMatching(/^process:trigger:/),
    }),
  )

  await triggers.pause('each second')
  await eventually(async () => (await handle.describe()).state.paused)
  await triggers.add({ id: 'each second', on: { cron: '0 7 * * MON-FRI' }, start })
  await triggers.resume('each second')
  await eventually(async () => {
    expect(await handle.describe()).toMatchObject({
      spec: {
        timezone: 'UTC',
        calendars: [{ hour: [{ start: 7 }], dayOfWeek: [{ start: 'MONDAY', end: 'FRIDAY' }] }],
      },
      state: { paused: false, note: expect.stringContaining('revision 4') },
    })
  })
  await triggers.remove('each second')
  await eventually(() => isGone(handle))
  // Each time once, whoever told of it.
  const occurrences = (await started()).map(({ provenance: { causedBy } }) =>
    causedBy?.type === 'trigger_occurrence' ? causedBy.occurrenceId : undefined,
  )
  expect(new Set(occurrences).size).toBe(occurrences.length)
})

test('a schedule that fires three times for one time, by a backfill or a reset, starts one process (§6 #211)', async () => {
  await using world = await openWorld({ engines })
  const { registry, temporal, processes } = world
  await world.startWorker()
  // Once a year, and that soon.
  const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3_000)
  const [second, minute, hour] = [at.getUTCSeconds(), at.getUTCMinutes(), at.getUTCHours()]
  const cron = `${second} ${minute} ${hour} ${at.getUTCDate()} ${at.getUTCMonth() + 1} *`
  const { trigger } = await processes.triggers.add({ id: 'soon', on: { cron }, start })
  expect(trigger.nextAtMs).toBe(at.getTime())
  const records = async () => (await registry.list({ status: 'completed' })).records
  await eventually(async () => expect(await records()).toHaveLength(1))

  const handle = scheduleOf(world, 'soon')
  const window = { start: new Date(at.getTime() - 500), end: at, overlap: ScheduleOverlapPolicy.ALLOW_ALL }
  await eventually(() => handle.describe())
  await handle.backfill([window])
  const scheduleId = `${schedulePrefix(registry.registryId)}soon`
  const workflow = temporal.workflow.getHandle(`${scheduleId}-${at.toISOString().replace('.000', '')}`)
  await eventually(async () =>
    expect(await answersOf(temporal, scheduleId)).toContainEqual({ status: 'not_due' }),
  )
  const { runId } = await workflow.describe()
  await temporal.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: workflow.workflowId, runId },
    workflowTaskFinishEventId: (await firstTask(workflow)) ?? null,
    requestId: 'again',
    reason: 'by an operator',
  })
  expect(await workflow.result()).toEqual({ status: 'not_due' })

  const args = [{ registryId: registry.registryId, ...trigger, revision: 7 }]
  const taskQueue = defaultTaskQueue(registry.registryId)
  const stale = { taskQueue, workflowId: `${scheduleId}-stale`, args }
  expect(await temporal.workflow.execute(OCCURRENCE_WORKFLOW_TYPE, stale)).toEqual({ status: 'stale' })
  expect(await records()).toHaveLength(1)
})

test('schedules are made again, mended and removed as the registry’s triggers are, and nobody else’s are touched', async () => {
  await using world = await openWorld({ engines })
  const { registry, temporal } = world
  const { registryId } = registry
  const taskQueue = defaultTaskQueue(registryId)
  const environment = createExecutionEnvironment(world.host, registry, { logger: silentLogger })
  const backend = createTemporalSchedules({ client: temporal, registryId, taskQueue })
  const keeper = new ScheduleKeeper(environment, backend)
  const compare = async () => {
    keeper.forget()
    await keeper.keep()
  }
  for (const id of ['kept', 'lost', 'paused "by hand"', 'restored'])
    await world.processes.triggers.add({ id, on: { cron: '@yearly' }, start })
  await world.processes.triggers.add({ id: 'offset', on: { cron: '@yearly', timeZone: '+02:00' }, start })
  await keeper.keep()
  const kept = scheduleOf(world, 'kept')
  const lost = scheduleOf(world, 'lost')
  const byHand = scheduleOf(world, 'paused "by hand"')
  const restored = scheduleOf(world, 'restored')
  expect(await isGone(scheduleOf(world, 'offset'))).toBe(true)
  const { info } = await kept.describe()
  expect(info.nextActionTimes[0]?.getTime()).toBe((await registry.trigger('kept'))?.nextAtMs)

  const others = `${schedulePrefix('another')}kept`
  const orphan = `${schedulePrefix(registryId)}orphan`
  for (const scheduleId of [others, orphan])
    await temporal.schedule.create({
      scheduleId,
      spec: { calendars: [{ year: 2090 }] },
      action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'nobody' },
    })
  const examined = async () =>
    (await checkSchedules(await allTriggers(registry), { client: temporal, registryId, taskQueue }))[0]
  // What the registry knew before it was put back from a copy.
  const trigger = (await registry.trigger('restored')) ?? expect.fail('it was added')
  await backend.put({ ...trigger, revision: 9, isPaused: true })
  await lost.delete()
  await byHand.pause('by an operator')
  await eventually(async () =>
    expect(await examined()).toMatchObject({
      status: 'warn',
      found: 'not as its trigger is: "lost", "paused \\"by hand\\"", "restored"; of no trigger: "orphan"',
    }),
  )
  // The server's list lags behind a little.
  await eventually(async () => {
    await compare()
    expect((await lost.describe()).state.paused).toBe(false)
    for (const mended of [byHand, restored])
      expect((await mended.describe()).state).toMatchObject({
        paused: false,
        note: expect.stringContaining('revision 1'),
      })
    expect(await isGone(temporal.schedule.getHandle(orphan))).toBe(true)
  })
  await eventually(async () => expect(await examined()).toMatchObject({ status: 'ok' }))
  await temporal.schedule.getHandle(others).delete()
  expect((await kept.describe()).info.createdAt).toEqual(info.createdAt)

  await world.processes.triggers.add({ id: 'kept', on: { event: 'push' }, start })
  await keeper.keep()
  expect(await isGone(kept)).toBe(true)
})

test('a schedule that another data converter wrote is made anew', async () => {
  await using world = await openWorld({ engines })
  const { registry, temporal } = world
  const { connection } = temporal
  const options = { registryId: registry.registryId, taskQueue: 'nobody' }
  const before = new Client({ connection, dataConverter: createEncryptingConverter() })
  const source = { type: 'schedule', cron: '@yearly', timeZone: 'UTC' } as const
  const { trigger } = await registry.saveTrigger({ triggerId: 'a', source, start })
  await createTemporalSchedules({ client: before, ...options }).put(trigger)
  const handle = scheduleOf(world, 'a')
  await expect(handle.describe()).rejects.toThrow(ValueError)
  const { put, remove } = createTemporalSchedules({ client: temporal, ...options })
  await put({ ...trigger, revision: 2 })
  expect(await handle.describe()).toMatchObject({
    memo: { leaseholdTriggerId: 'a' },
    state: { note: expect.stringContaining('revision 2') },
  })
  await remove('a')
})

const [SPRING, AUTUMN] = ['2027-03-27T12:00:00Z', '2027-10-30T12:00:00Z']

test.each([
  ['30 2 * * *', 'Europe/Berlin', SPRING],
  ['30 2 * * *', 'Europe/Berlin', AUTUMN],
  ['*/20 0-4 * * *', 'Europe/Berlin', SPRING],
  ['*/20 0-4 * * *', 'Europe/Berlin', AUTUMN],
  ['0 0,2,3 * * *', 'Europe/Berlin', SPRING],
  ['0 9 * * 1-5', 'America/New_York', '2027-03-13T00:00:00Z'],
  ['15 */2 * * *', 'Australia/Lord_Howe', '2027-04-03T00:00:00Z'],
  ['0 0 L * *', 'Asia/Kolkata', '2028-02-27T00:00:00Z'],
  ['0 12 13 * FRI', 'Pacific/Auckland', '2027-09-20T00:00:00Z'],
  ['0 12 * * FRI#L', 'UTC', '2028-02-20T00:00:00Z'],
  ['0 12 15W * *', 'UTC', '2027-05-10T00:00:00Z'],
  ['30 59 23 29 2 *', 'UTC', '2028-02-25T00:00:00Z'],
])('%s in %s has the same times at the server, %s and on, but near a clock change', async (...given) => {
  const [cron, timeZone, from] = given
  await using world = await openWorld({ engines })
  const { registry, temporal } = world
  const { registryId } = registry
  const backend = createTemporalSchedules({ client: temporal, registryId, taskQueue: 'nobody' })
  const source = { type: 'schedule', cron, timeZone } as const
  const { trigger } = await registry.saveTrigger({ triggerId: 'a', source, start })
  await backend.put({ ...trigger, isPaused: true })

  // A server names a thousand times at most.
  const [first, last] = [Date.parse(from), Date.parse(from) + 12 * 86_400_000]
  const { startTime } = await temporal.workflowService.listScheduleMatchingTimes({
    namespace: 'default',
    scheduleId: `${schedulePrefix(registryId)}a`,
    startTime: momentOf(first),
    endTime: momentOf(last),
  })
  const theirs = (startTime ?? []).map(({ seconds }) => Number(seconds) * 1_000)
  const ours: number[] = []
  for (const time of new Cron(cron, { timezone: timeZone, paused: true }).enumerate(new Date(first))) {
    if (time.getTime() > last) break
    ours.push(time.getTime())
  }
  const steady = (times: number[]) =>
    times.filter(time => time > first && isOnCalendar(source, time)).map(time => new Date(time).toISOString())
  expect(steady(ours).length).toBeGreaterThan(0)
  expect(steady(theirs)).toEqual(steady(ours))
  await backend.remove('a')
})
