import { spawn } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { apartFromOthers } from '../../src/execution/attempt-context.ts'
import { ChildProcesses } from '../../src/execution/child-processes.ts'
import {
  createInlineWorker,
  createProcessClient,
  defineEngine,
  defineHost,
  sqliteRegistry,
} from '../../src/index.ts'
import { silent } from '../execution/stage.ts'
import { temporaryPath } from '../registry/store-fixtures.ts'

const rerunnable = { disposition: 'rerunnable' } as const

test('a process that is begun from within a step of another one has steps and events of its own', async () => {
  let startInner = async (): Promise<string> => 'not yet'
  const host = defineHost({
    registry: sqliteRegistry({ path: await temporaryPath() }),
    engines: {
      outer: defineEngine({
        ...rerunnable,
        run: ctx => ctx.step('starts another', () => startInner()),
      }),
      inner: defineEngine({
        ...rerunnable,
        events: { news: true },
        async run(ctx) {
          await ctx.emit('news', 'first')
          return ctx.step('own', () => 'done')
        },
      }),
    },
  })
  await using processes = createProcessClient({ host })
  startInner = async () => {
    const inner = await processes.start({ kind: 'inner', id: 'inner' })
    return (await inner.outcome()).status
  }
  await using worker = createInlineWorker(host, { logger: silent, shutdownGraceMs: 0 })
  await worker.ready
  const outer = await processes.start({ kind: 'outer' })
  expect(await outer.outcome()).toEqual({ status: 'completed', value: 'completed' })
  const inner = processes.handle('inner')
  expect(await inner.outcome()).toEqual({ status: 'completed', value: 'done' })
  const keys: unknown[] = []
  for await (const { eventType, invocation } of inner.events())
    if (eventType === 'news') keys.push(invocation.replay)
  expect(keys).toEqual([{ key: expect.stringMatching(/:news#1$/) }])
})

test('what it starts of the operating system’s is not ended with what the other has started', () => {
  const others = new ChildProcesses()
  const start = () => {
    const child = spawn('sleep', ['600'])
    onTestFinished(() => void child.kill())
    return child
  }
  others.during(() => apartFromOthers(start))
  expect(others.kill()).toBe(0)
  others.during(start)
  expect(others.kill()).toBe(1)
})
