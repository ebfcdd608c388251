import { expect, test } from 'vitest'
import type { StepAnswer } from '../../src/model/effect.ts'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { readMarks } from '../support/marks.ts'

test('a once step killed between its effect and the journal is an unknown outcome, and never runs again', async () => {
  await using world = await openCrashWorld()
  await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'charge', input: { ...world, dies: 'after' } })
  await world.marks('died')
  await world.spawnWorker()
  const [charged] = readMarks(world.folder, 'charged')
  expect(await handle.outcome()).toMatchObject({
    status: 'failed',
    code: 'step_unknown',
    message: expect.stringContaining(charged?.detail ?? 'nothing was charged'),
    raw: { unknownEffects: [{ step: 'charge#1', operationId: charged?.detail }] },
  })
  expect(readMarks(world.folder, 'charged')).toHaveLength(1)
})

test('a once step killed after its effect is reconciled by the operation id that the effect bears', async () => {
  await using world = await openCrashWorld()
  await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'reconcile', input: { ...world, dies: 'after' } })
  await world.marks('died')
  await world.spawnWorker()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 'charged before' })
  expect(readMarks(world.folder, 'charged')).toHaveLength(1)
  expect(readMarks(world.folder, 'asked')).toHaveLength(1)
})

test('a once step killed before its effect runs again once it is known not done', async () => {
  await using world = await openCrashWorld()
  await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'reconcile', input: { ...world, dies: 'before' } })
  await world.marks('died')
  await world.spawnWorker()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 'charged now' })
  const [asked] = readMarks(world.folder, 'asked')
  expect(readMarks(world.folder, 'charged')).toMatchObject([{ detail: asked?.detail }])
})

test.each<{ dies: 'before' | 'after'; answer: StepAnswer; value: string }>([
  { dies: 'after', answer: { value: 'ana has the receipt' }, value: 'ana has the receipt' },
  { dies: 'before', answer: 'not_done', value: 'charged now' },
])(
  'a once step killed $dies its effect waits for somebody who has looked, and takes effect once',
  async ({ dies, answer, value }) => {
    await using world = await openCrashWorld()
    const { registry } = world
    await world.spawnWorker()
    const handle = await world.processes.start({ kind: 'ask', input: { ...world, dies } })
    await world.marks('died')
    await world.spawnWorker({ parkGraceMs: 100 })
    await eventually(async () => {
      const { waits } = await handle.describe()
      expect(waits).toMatchObject([{ on: { type: 'unknown_step', step: 'charge#1' } }])
    })
    expect(await registry.effects(handle.id)).toMatchObject([{ state: 'unknown' }])
    // The worker that claimed it was killed: its host's operating system would say so.
    const deadWorker = (await registry.journalEntry(handle.id, 'charge#1'))?.claimedBy?.incarnationId ?? ''
    await registry.resolveStep(handle.id, 'charge#1', answer, { by: 'ana', deadWorker })
    expect(await handle.outcome()).toEqual({ status: 'completed', value })
    expect(readMarks(world.folder, 'charged')).toHaveLength(1)
    expect(await registry.effects(handle.id)).toMatchObject([{ state: 'done', resolution: { by: 'ana' } }])
  },
)
