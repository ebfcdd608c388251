import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { DueWatch, REGULAR_PASS_MS } from '../../src/execution/due-watch.ts'
import type { ProcessId } from '../../src/model/ids.ts'
import { ChangeHub } from '../../src/registry/change-hub.ts'
import type { ProcessChange } from '../../src/registry/store.ts'

// The regular pass never comes, however slow the machine is: what comes at once needs no timer.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A watch whose first pass is over, and what it has asked and done since. */
async function openWatch(
  pass: () => Promise<void> = async () => {},
  running: ReadonlySet<string> = new Set(),
) {
  const hub = new ChangeHub()
  const did = { passes: 0, asked: 0 }
  const msUntilDue = async () => {
    did.asked++
    return undefined
  }
  const watch = new DueWatch(
    { hub, msUntilDue },
    {
      pass: async () => {
        did.passes++
        await pass()
        return REGULAR_PASS_MS
      },
      isOfInterest: id => !running.has(id),
    },
  )
  onTestFinished(() => watch.stop())
  watch.start()
  await turns()
  return { hub, watch, did }
}

const change = (id: string, dueAtMs: number | null): ProcessChange => ({
  id: id as ProcessId,
  status: 'running',
  isCancelRequested: false,
  isPruned: false,
  dueAtMs,
})

/** Long enough for all that is to be done at once. */
async function turns(): Promise<void> {
  for (let index = 0; index < 10; index++) await turn()
}

test('a change that says its row is due makes a pass at once, without asking when one is', async () => {
  const { hub, did } = await openWatch()
  hub.notify('a', change('a', Date.now()))
  await turns()
  expect(did).toEqual({ passes: 2, asked: 0 })
})

test('many of them are one pass, and what was said first is not forgotten over what comes after', async () => {
  const { hub, did } = await openWatch()
  for (const id of ['a', 'b', 'c']) hub.notify(id, change(id, Date.now()))
  hub.notify('a')
  await turns()
  expect(did).toEqual({ passes: 2, asked: 0 })
})

test('a change that does not say so asks when a row is due', async () => {
  const { hub, did } = await openWatch()
  hub.notify('a')
  await turns()
  expect(did).toEqual({ passes: 1, asked: 1 })
})

test('a row that was taken up between its change and the look makes neither', async () => {
  const running = new Set<string>()
  const { hub, did } = await openWatch(undefined, running)
  hub.notify('a', change('a', Date.now()))
  running.add('a')
  await turns()
  expect(did).toEqual({ passes: 1, asked: 0 })
})

test('a pass that is wanted during another one comes right after it', async () => {
  const first = Promise.withResolvers<void>()
  let isFirst = true
  const { hub, did } = await openWatch(async () => {
    if (!isFirst) return
    isFirst = false
    await first.promise
  })
  hub.notify('a', change('a', Date.now()))
  await turns()
  expect(did.passes).toBe(1)
  first.resolve()
  await turns()
  expect(did.passes).toBe(2)
})
