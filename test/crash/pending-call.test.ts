import { expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { readMarks } from '../support/marks.ts'

const YES = { status: 'success', value: { signed: true } } as const

test('a tool call answered while no worker lives ends with that answer, and is made once', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker({ parkGraceMs: 60_000 })
  const input = { tool: 'ask', args: { folder: world.folder, dies: false } }
  const handle = await world.processes.start({ kind: 'tool_call', input })
  const [asked] = await world.marks('asked')
  const key = asked?.detail ?? ''
  await eventually(async () =>
    (await world.registry.journal(handle.id)).some(({ kind }) => kind === 'answer'),
  )
  await first.kill()
  await world.processes.completeToolCall(key, YES)
  await world.spawnWorker()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: YES.value })
  expect(readMarks(world.folder, 'asked')).toHaveLength(1)
})

test('a tool killed between handing out its key and saying so is made again, under the same key, and has its answer', async () => {
  await using world = await openCrashWorld()
  await world.spawnWorker()
  const input = { tool: 'ask', args: { folder: world.folder, dies: true } }
  const handle = await world.processes.start({ kind: 'tool_call', input })
  await world.marks('died')
  const [asked] = readMarks(world.folder, 'asked')
  await world.processes.completeToolCall(asked?.detail ?? '', YES)
  await world.spawnWorker()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: YES.value })
  expect(new Set(readMarks(world.folder, 'asked').map(({ detail }) => detail)).size).toBe(1)
})

test('a tool call parks without a working slot, and goes on with the answer that another client gives', async () => {
  await using world = await openCrashWorld()
  await world.spawnWorker()
  const input = { tool: 'ask', args: { folder: world.folder, dies: false } }
  const handle = await world.processes.start({ kind: 'tool_call', input })
  const [asked] = await world.marks('asked')
  await eventually(async () => (await handle.describe()).waits.length === 1)
  await world.processes.completeToolCall(asked?.detail ?? '', { status: 'failure', message: 'declined' })
  expect(await handle.outcome()).toMatchObject({
    status: 'failed',
    code: 'process_tool_failed',
    message: 'Tool "ask" failed: declined',
  })
})
