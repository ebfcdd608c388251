import { expect, test } from 'vitest'
import { REGISTRY_MEMO, WORKFLOW_TYPE } from '../../src/contract.ts'
import { defineEngine, type Logger } from '../../src/index.ts'
import { MAX_PROCESS_ID_BYTES } from '../../src/model/ids.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld, silentLogger } from '../support/temporal-world.ts'

const quick = defineEngine({ disposition: 'rerunnable', run: () => 'done' })

interface Foreign {
  readonly what: string
  readonly type: string
  readonly memo: Record<string, string>
}
const FOREIGN: readonly Foreign[] = [
  { what: 'a workflow of another type', type: 'billing', memo: {} },
  { what: "another registry's workflow", type: WORKFLOW_TYPE, memo: { [REGISTRY_MEMO]: 'another' } },
  { what: 'a workflow without our memo', type: WORKFLOW_TYPE, memo: {} },
]

test.each(FOREIGN)('$what open under the id is workflow_id_taken, and is left alone', async foreign => {
  await using world = await openWorld({ engines: { quick } })
  const id = `taken-${world.registry.registryId}`
  const open = await world.temporal.workflow.start(foreign.type, {
    workflowId: id,
    taskQueue: 'nobody-polls-this',
    memo: foreign.memo,
  })
  await expect(world.processes.start({ kind: 'quick', id })).rejects.toMatchObject({
    code: 'workflow_id_taken',
    processId: id,
  })
  expect((await open.describe()).historyLength).toBe(2)
  // The row is kept, and starts when the id is free.
  await world.startWorker()
  await open.terminate()
  expect(await world.registry.awaitOutcome(id)).toMatchObject({ status: 'completed' })
})

test('a worker of another registry refuses a process, naming both registries, and does not end it', async () => {
  await using theirs = await openWorld({ engines: { quick } })
  await using ours = await openWorld({ engines: { quick } })
  const handle = await ours.processes.start({ kind: 'quick' })
  const misled = await theirs.startWorker({ taskQueue: `leasehold-${ours.registry.registryId}` })
  const failure = await eventually(async () => {
    const { raw } = await ours.workflow(handle.id).describe()
    const last = raw.pendingActivities?.[0]?.lastFailure
    expect(last).toBeTruthy()
    return last
  })
  expect(failure?.applicationFailureInfo?.type).toBe('registry_mismatch')
  expect(failure?.message).toContain(ours.registry.registryId)
  expect(failure?.message).toContain(theirs.registry.registryId)
  expect(await handle.describe()).toMatchObject({ status: 'running', attempts: 0 })
  await misled.stop()
  await ours.startWorker()
  expect(await handle.outcome()).toMatchObject({ status: 'completed' })
})

test('a row that cannot be submitted does not keep the others from being started', async () => {
  const warnings: unknown[] = []
  const logger: Logger = { ...silentLogger, warn: (message, fields) => warnings.push({ message, ...fields }) }
  await using world = await openWorld({ engines: { quick } })
  const id = `a-taken-${world.registry.registryId}`
  const foreign = await world.temporal.workflow.start('billing', { workflowId: id, taskQueue: 'nobody' })
  await expect(world.processes.start({ kind: 'quick', id })).rejects.toThrow()
  const other = await world.processes.start({ kind: 'quick' })
  // Gone, so that only the sweep can start it.
  await world.workflow(other.id).terminate()
  await world.registry.requestCancel(other.id, 'to make it due')
  await world.startWorker({ logger })
  expect(await other.outcome()).toMatchObject({ status: 'cancelled' })
  await eventually(() => expect(warnings).toContainEqual(expect.objectContaining({ processId: id })))
  expect(await world.registry.get(id)).toMatchObject({ status: 'running' })
  await foreign.terminate()
})

test('every id that the registry takes is one that Temporal takes, and others are refused before anything is written (H24)', async () => {
  await using world = await openWorld({ engines: { quick } })
  await world.startWorker()
  const longest = world.registry.registryId.padEnd(MAX_PROCESS_ID_BYTES - 3, 'x')
  for (const id of [`${longest}€`, `ä b/c?d%20:"'${world.registry.registryId}`]) {
    const handle = await world.processes.start({ kind: 'quick', id })
    expect(await handle.outcome()).toEqual({ status: 'completed', value: 'done' })
    expect(await world.workflow(id).result()).toEqual({ status: 'completed' })
  }
  for (const id of ['', `${longest}xxxx`, 'a#1', 'a\nb']) {
    await expect(world.processes.start({ kind: 'quick', id })).rejects.toMatchObject({
      code: 'process_registration_invalid',
    })
  }
  expect((await world.registry.list({ status: 'any' })).records).toHaveLength(2)
})
