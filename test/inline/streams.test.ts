import { readUIMessageStream, type UIMessage } from 'ai'
import { describe, expect, test } from 'vitest'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createProcessClient, type ProcessHandle, StreamView } from '../../src/index.ts'
import { temporaryFolder } from '../registry/store-fixtures.ts'
import { crashHostOn } from '../support/crash-host.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor, readMarks } from '../support/marks.ts'
import { spawnInlineWorker } from '../support/spawn-worker.ts'
import { REGISTRIES } from './world.ts'

/** A client here, and workers in other OS processes. */
async function openWorld(address: string) {
  const folder = await temporaryFolder()
  const processes = createProcessClient({ host: crashHostOn(parseRegistryAddress(address)) })
  return {
    folder,
    processes,
    spawn: () => spawnInlineWorker({ registry: address }),
    /** A chat that has said something of its second step. */
    async startChat() {
      const handle = await processes.start({ kind: 'chat', input: { folder } })
      await this.began(1)
      return handle
    },
    began: (count: number) =>
      eventually(() => {
        if (readMarks(folder, 'began').length < count) throw new Error('it has not come to the door')
      }),
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  }
}

/** What a chat shows in the end, and whether it ever showed the text. */
async function chat(handle: ProcessHandle, shows = '') {
  let last: UIMessage | undefined
  let hasShown = false
  for await (const message of readUIMessageStream({
    stream: handle.uiMessages('ui'),
    terminateOnError: true,
  })) {
    last = message
    hasShown ||= textOf(message).includes(shows)
  }
  return { text: last && textOf(last), hasShown }
}

const textOf = ({ parts }: UIMessage): string =>
  parts.map(part => (part.type === 'text' ? part.text : '')).join('')

const ANSWER = 'Hello. This is attempt 2.'

describe.each(REGISTRIES)('streams across OS processes, on $name', ({ newAddress }) => {
  test('a killed worker’s words are taken back from every reader, and those of its finished steps stand', async () => {
    await using world = await openWorld(await newAddress())
    const first = await world.spawn()
    const handle = await world.startChat()
    const early = chat(handle, 'This is attempt 1')
    const view = new StreamView()
    const resets: number[] = []
    const reading = (async () => {
      for await (const entry of handle.stream('ui')) {
        view.apply(entry)
        if (entry.type === 'attempt_reset') resets.push(entry.attempt)
      }
    })()
    await eventually(() => expect(view.next).toBeGreaterThan(20))
    await world.spawn()
    await first.kill()
    openDoor(world.folder)
    await Promise.all([reading, handle.outcome()])
    expect(resets).toEqual([2])
    expect(view.deltas.filter(({ data }) => JSON.stringify(data).includes('start-step'))).toHaveLength(2)
    expect(await early).toEqual({ text: ANSWER, hasShown: true })
    // One that comes late never hears of the words that were taken back.
    expect(await chat(handle, 'attempt 1')).toEqual({ text: ANSWER, hasShown: false })
    const offsets: number[] = []
    for await (const { offset } of handle.stream('ui', { from: view.next - 2 })) offsets.push(offset)
    expect(offsets).toEqual([view.next - 2, view.next - 1])
  })

  test('whoever goes away leaves the process running, and whoever reads can cancel it', async () => {
    await using world = await openWorld(await newAddress())
    await world.spawn()
    const started = await world.startChat()
    const reader = world.processes.handle(started.id)
    for await (const _ of reader.stream('ui')) break
    await reader.uiMessages('ui').cancel()
    const tab = new AbortController()
    const stopped = (async () => {
      for await (const _ of reader.stream('ui', { from: 1_000, signal: tab.signal })) throw new Error('none')
    })()
    tab.abort(new Error('closed'))
    await expect(stopped).rejects.toThrow('closed')
    expect(await reader.describe()).toMatchObject({ status: 'running' })
    expect(await reader.describe()).not.toHaveProperty('cancelRequest')
    await reader.cancel('from the reader')
    expect(await started.outcome()).toMatchObject({ status: 'cancelled' })
    // What stood when it was cancelled stays readable.
    const { text } = await chat(reader)
    expect(text).toBe('Hello. This is attempt 1')
  })
})
