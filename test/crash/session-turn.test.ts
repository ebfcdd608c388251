import { expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
import { readMarks } from '../support/marks.ts'

test('a turn whose worker is killed in a model call repeats that call, and no other and no tool (§6 #168)', async () => {
  await using world = await openCrashWorld()
  const { folder } = world
  await world.spawnWorker()
  const handle = await world.processes.start({
    kind: 'session_turn',
    disposition: 'rerunnable',
    input: { prompt: folder, session: { sessionId: 'talk' } },
  })
  await world.marks('died')
  await world.spawnWorker()
  expect(await handle.outcome()).toMatchObject({
    status: 'completed',
    value: { process_id: handle.id, child_session_id: 'talk', turn: { answer: 'it is noted', steps: 2 } },
  })
  expect(readMarks(folder, 'asked')).toHaveLength(1)
  expect(readMarks(folder, 'noted')).toHaveLength(1)
  expect(readMarks(folder, 'asked with the result')).toHaveLength(2)
  const talk = await world.registry.loadSession('talk')
  expect(talk?.session).not.toHaveProperty('openFor')
  expect(talk?.entries.map(({ message }) => message)).toMatchObject([
    { role: 'user' },
    { role: 'assistant' },
    { role: 'tool' },
    { role: 'assistant' },
  ])
})
