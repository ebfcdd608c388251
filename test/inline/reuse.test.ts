import { describe, expect, test } from 'vitest'
import { defineEngine, isLeaseholdError } from '../../src/index.ts'
import { pruneProcesses } from '../../src/maintenance/prune.ts'
import { errorWith } from '../model/fixtures.ts'
import { openInline, REGISTRIES } from './world.ts'

const EVERYTHING = { before: Number.MAX_SAFE_INTEGER }

describe.each(REGISTRIES)('a pruned process on $name', ({ newAddress }) => {
  async function openPruned() {
    const world = await openInline(await newAddress(), {
      pay: defineEngine({
        disposition: 'rerunnable',
        run: ctx => ctx.step('charge', ({ operationId }) => operationId, { effect: 'once' }),
      }),
      ask: defineEngine({
        disposition: 'rerunnable',
        run: async ctx => {
          try {
            return await ctx.outcomeOf('one')
          } catch (error) {
            return isLeaseholdError(error) ? (error.details.errorCode ?? null) : null
          }
        },
      }),
    })
    await world.startWorker()
    const handle = await world.processes.start({ kind: 'pay', id: 'one' })
    const outcome = await handle.outcome()
    expect(await pruneProcesses(world.registry, EVERYTHING)).toMatchObject({ prunedProcesses: 1 })
    return { ...world, outcome }
  }

  test('says through its handle that it is no longer retained, and how it had ended', async () => {
    const { processes } = await openPruned()
    // Not the one that the start gave: that has heard the outcome, and remembers it.
    const handle = processes.handle('one')
    const gone = errorWith('process_no_longer_retained')
    for (const act of [handle.outcome, handle.describe, handle.cancel, () => handle.signal('go')]) {
      await expect(act()).rejects.toThrow(gone)
    }
    await expect(handle.events()[Symbol.asyncIterator]().next()).rejects.toThrow(gone)
    await expect(handle.outcome()).rejects.toMatchObject({
      processId: 'one',
      details: { status: 'completed', prunedAtMs: expect.any(Number) },
    })
  })

  test('is not run again by a start that comes late, unless that says reuse', async () => {
    const { processes, registry, outcome } = await openPruned()
    const request = { kind: 'pay', id: 'one' } as const
    await expect(processes.start(request)).rejects.toThrow(errorWith('process_no_longer_retained'))
    expect(await registry.get('one')).toBeUndefined()
    const again = await processes.start({ ...request, reuse: true })
    expect(again.started).toBe(true)
    const second = await again.outcome()
    expect(second).toEqual({ status: 'completed', value: expect.stringMatching(/^op_/) })
    // The destination must not take the new charge for the old one.
    expect(second).not.toEqual(outcome)
    expect((await processes.start({ ...request, reuse: true })).started).toBe(false)
  })

  test('is an error to a process that waits for it', async () => {
    const { processes } = await openPruned()
    const asking = await processes.start({ kind: 'ask' })
    expect(await asking.outcome()).toEqual({ status: 'completed', value: 'process_no_longer_retained' })
  })
})
