import { expect, onTestFinished, test, vi } from 'vitest'
import { LostTasks, type TaskBackend } from '../../src/maintenance/lost-tasks.ts'
import { LeaseholdError } from '../../src/model/errors.ts'
import { eventually } from '../support/eventually.ts'
import { openStage, work } from './stage.ts'

const REF = { backend: 'the test', id: 'run' }

/** A stage whose backend has given each process's one task to somebody, and writes down what it is asked. */
function openTasks() {
  const stage = openStage({ engines: work(() => 1) })
  const { registry, identity, addWorker } = stage
  const givenTo = new Map<string, string>()
  const asked: string[] = []
  const failed: string[] = []
  let refusal: Error | undefined
  let onAsked = async () => {}
  const backend: TaskBackend = {
    pendingTasks: async id => {
      asked.push(id)
      if (refusal !== undefined) throw refusal
      await onAsked()
      const worker = givenTo.get(id)
      return [{ taskId: '1', ...(worker === undefined ? {} : { givenTo: worker }) }]
    },
    failTask: async id => void failed.push(id),
  }
  // Seconds lie between the looks.
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const lostTasks = new LostTasks(addWorker().environment, backend)
  onTestFinished(() => lostTasks.stop())
  /** Passes as a sweep makes them, until one has come to this. */
  const passUntil = (what: () => void) =>
    eventually(async () => {
      vi.advanceTimersByTime(500)
      await lostTasks.pass()
      what()
    })
  const submit = async (id: string, worker?: string) => {
    await stage.start({ id })
    if (worker !== undefined) givenTo.set(id, worker)
    await registry.recordSubmitted(id, { ref: REF, attempts: 0, lastSequence: 0 })
  }
  const refuse = (error: Error | undefined) => {
    refusal = error
  }
  const whenAsked = (then: () => Promise<void>) => {
    onAsked = then
  }
  return { ...stage, asked, failed, passUntil, submit, refuse, whenAsked, here: identity.ownerId }
}

test('a task of a worker that is gone is failed, and no other', async () => {
  const world = openTasks()
  const { registry, identity, here, asked, failed, passUntil, submit, runner } = world
  const other = world.addWorker().identity
  for (const worker of [identity, other]) await registry.announceWorker(worker)
  await submit('lost', other.ownerId)
  await submit('had', here)
  await submit('queued')
  await submit('begun', other.ownerId)
  await runner.run('begun')
  // Nobody knows yet who was there before.
  await passUntil(() => expect(asked).toHaveLength(3))
  expect(failed).toEqual([])
  await registry.proveWorkerDead(other)
  await passUntil(() => expect(failed).toEqual(['lost']))
  expect(asked).not.toContain('begun')
})

test('as long as nobody goes the backend is asked nothing', async () => {
  const { registry, identity, asked, passUntil, submit, addWorker, here } = openTasks()
  await registry.announceWorker(identity)
  let seen = 0
  const workers = registry.workers
  Object.assign(registry, { workers: () => workers().finally(() => seen++) })
  // The looks of the beginning find nothing to ask about.
  await passUntil(() => expect(seen).toBeGreaterThan(10))
  await submit('one', here)
  await registry.announceWorker(addWorker().identity)
  const before = seen
  await passUntil(() => expect(seen).toBeGreaterThan(before + 2))
  expect(asked).toEqual([])
})

test('a worker that is announced after its task was seen is no stranger', async () => {
  const { registry, identity, addWorker, asked, failed, passUntil, submit, whenAsked } = openTasks()
  await registry.announceWorker(identity)
  const late = addWorker().identity
  await submit('new', late.ownerId)
  // It came between the look at the workers and the look at the task.
  whenAsked(() => registry.announceWorker(late))
  await passUntil(() => expect(asked.length).toBeGreaterThan(1))
  expect(failed).toEqual([])
})

test('a server that cannot be reached is asked again, and a row of its own trouble keeps no other from its look', async () => {
  const { registry, identity, failed, asked, passUntil, submit, refuse } = openTasks()
  await registry.announceWorker(identity)
  await submit('lost', 'gone')
  refuse(new LeaseholdError('temporal_unreachable', 'nobody there'))
  await passUntil(() => expect(asked.length).toBeGreaterThan(1))
  expect(failed).toEqual([])
  refuse(undefined)
  await passUntil(() => expect(failed).toEqual(['lost']))
})
