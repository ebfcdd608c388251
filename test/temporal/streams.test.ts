import { expect, test } from 'vitest'
import { type StreamEntry, StreamView } from '../../src/index.ts'
import { type CrashWorld, openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { historyText } from '../support/history-text.ts'
import { openDoor } from '../support/marks.ts'
import { spawnStreamReader, type WorkerProcess } from '../support/spawn-worker.ts'

/** A chat on a worker, that has said something of its second step and waits at the door. */
async function startChat(world: CrashWorld) {
  const worker = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'chat', input: { folder: world.folder } })
  await world.marks('began')
  const { registryPath } = world
  const read = (from: readonly number[], options: { readonly cancelsAt?: number } = {}) =>
    spawnStreamReader({ registryPath, id: handle.id, from, ...options })
  return { worker, handle, read }
}

/** What the reader that began at the offset has read. */
const entriesOf = ({ lines }: WorkerProcess, first = 0): StreamEntry[] =>
  lines.flatMap(line => {
    const { what, from, entry } = JSON.parse(line)
    return what === 'entry' && from === first ? [entry] : []
  })

/** Every reader of the OS process was told of the end. */
async function ended(reader: WorkerProcess): Promise<void> {
  await reader.exited
  expect(reader.lines.at(-1)).toContain('"what":"end"')
}

function textOf(entries: readonly StreamEntry[]): string {
  const view = new StreamView()
  for (const entry of entries) view.apply(entry)
  return view.deltas.map(({ data }) => Object(data).delta ?? '').join('')
}

test('readers in other OS processes see a Temporal worker’s words as they come, taken back when it is killed, and said anew', async () => {
  await using world = await openCrashWorld()
  const { worker, handle, read } = await startChat(world)
  const [stays, leaves] = await Promise.all([read([0, 12]), read([0])])
  const isAt = (text: string) => eventually(() => expect(textOf(entriesOf(stays))).toBe(text))
  await isAt('Hello. This is attempt 1')
  const said = entriesOf(stays).length
  await leaves.kill()
  await world.spawnWorker()
  await worker.kill()
  await world.marks('began', 2)
  await isAt('Hello. This is attempt 2')
  openDoor(world.folder)
  expect(await handle.outcome()).toMatchObject({ status: 'completed', value: { attempt: 2 } })

  await ended(stays)
  const all = entriesOf(stays)
  expect(textOf(all)).toBe('Hello. This is attempt 2.')
  // All that was said of the second step, which no journal knows.
  expect(all.filter(entry => entry.type === 'attempt_reset')).toMatchObject([
    { attempt: 2, offset: said, retracted: [{ to: said }] },
  ])
  expect(all.map(({ offset }) => offset)).toEqual(all.map((_, index) => index))
  expect(entriesOf(stays, 12)).toEqual(all.slice(12))

  const after = await read([0, all.length - 1, all.length])
  await ended(after)
  expect(entriesOf(after)).toEqual(all)
  expect(entriesOf(after, all.length - 1)).toEqual(all.slice(-1))
  expect(entriesOf(after, all.length)).toEqual([])

  const { text } = await historyText(world.temporal, handle.id)
  for (const word of ['text-delta', 'start-step', 'Hello', 'attempt_reset']) expect(text).not.toContain(word)
})

test('a reader in another OS process cancels what a Temporal worker runs, and what stood then stays to be read', async () => {
  await using world = await openCrashWorld()
  const { handle, read } = await startChat(world)
  const reader = await read([0, 5], { cancelsAt: 3 })
  expect(await handle.outcome()).toMatchObject({
    status: 'cancelled',
    message: expect.stringContaining('the reader has seen enough'),
  })
  await ended(reader)
  expect(textOf(entriesOf(reader))).toBe('Hello. This is attempt 1')
  expect(entriesOf(reader, 5)).toEqual(entriesOf(reader).slice(5))
})
