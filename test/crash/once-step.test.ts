import { expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
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
