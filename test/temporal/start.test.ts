import { WorkflowNotFoundError } from '@temporalio/client'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { REGISTRY_MEMO } from '../../src/contract.ts'
import {
  createProcessClient,
  defineEngine,
  defineTool,
  isLeaseholdError,
  sqliteRegistry,
} from '../../src/index.ts'
import { collect } from '../support/collect.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld } from '../support/temporal-world.ts'

const hello = defineEngine({
  disposition: 'rerunnable',
  input: z.object({ name: z.string() }),
  run: ctx => ctx.step('greet', () => `hello ${ctx.input.name}`),
})

test('a started process ends with what its function returned', async () => {
  await using world = await openWorld({ engines: { hello } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'hello', input: { name: 'ana' } })
  expect(handle.started).toBe(true)
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 'hello ana' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
})

test('a process started before any worker is up runs when one comes', async () => {
  await using world = await openWorld({ engines: { hello } })
  const handle = await world.processes.start({ kind: 'hello', input: { name: 'ben' } })
  expect(await handle.describe()).toMatchObject({ status: 'running', attempts: 0 })
  await world.startWorker()
  expect(await handle.outcome()).toMatchObject({ value: 'hello ben' })
})

test('ten concurrent starts of one id, by two hosts, come to one row and one workflow run (H3, §6 #214)', async () => {
  const gate = createGate()
  const held = defineEngine({ disposition: 'rerunnable', run: ctx => gate.pass(ctx.signal) })
  await using world = await openWorld({ engines: { held } })
  await world.startWorker()
  // As in another OS process: with a registry of its own on the same file.
  const registry = sqliteRegistry({ path: world.registryPath })
  await using other = createProcessClient({ host: { ...world.host, registry }, temporal: world.temporal })
  const starts = Array.from({ length: 10 }, (_, nth) =>
    (nth % 2 === 0 ? world.processes : other).start({ kind: 'held', id: 'started-by-many' }),
  )
  const handles = await Promise.all(starts)
  expect(handles.filter(handle => handle.started)).toHaveLength(1)
  gate.open()
  expect(await handles[0]?.outcome()).toMatchObject({ status: 'completed' })
  await world.workflow('started-by-many').result()
  const runs = await eventually(async () => {
    const found = await collect(world.temporal.workflow.list({ query: 'WorkflowId = "started-by-many"' }))
    const own = found.filter(run => run.memo?.[REGISTRY_MEMO] === world.registry.registryId)
    expect(own.length).toBeGreaterThan(0)
    return own
  })
  expect(runs).toHaveLength(1)
  expect(gate.arrivals).toBe(1)
})

test('the same id with the same request returns the process; with another one it is refused', async () => {
  await using world = await openWorld({ engines: { hello } })
  await world.startWorker()
  const first = await world.processes.start({ kind: 'hello', id: 'twice', input: { name: 'ana' } })
  await first.outcome()
  const second = await world.processes.start({ kind: 'hello', id: 'twice', input: { name: 'ana' } })
  expect(second.started).toBe(false)
  expect(await second.outcome()).toMatchObject({ value: 'hello ana' })
  await expect(
    world.processes.start({ kind: 'hello', id: 'twice', input: { name: 'ben' } }),
  ).rejects.toMatchObject({ code: 'process_registration_conflict' })
})

test('a process that fails is a failed outcome and a completed workflow', async () => {
  const broken = defineEngine({
    disposition: 'rerunnable',
    run: () => {
      throw new Error('no such folder')
    },
  })
  await using world = await openWorld({ engines: { broken } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'broken' })
  expect(await handle.outcome()).toMatchObject({ status: 'failed', message: 'no such folder' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'failed' })
})

test('a tool call is a process of its own', async () => {
  const seen: unknown[] = []
  const add = defineTool(
    {
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      execute: ({ a, b }: { a: number; b: number }, { operationId, processId }) => {
        seen.push({ operationId, processId })
        return a + b
      },
    },
    { disposition: 'rerunnable' },
  )
  await using world = await openWorld({ tools: { add } })
  await world.startWorker()
  const handle = await world.processes.start({
    kind: 'tool_call',
    id: 'sum',
    input: { tool: 'add', args: { a: 1, b: 2 } },
  })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 3 })
  expect(seen).toEqual([{ operationId: expect.stringMatching(/^op_/), processId: 'sum' }])
})

test('an external process has no workflow, and its owner ends it (§6 #230)', async () => {
  await using world = await openWorld({ engines: { hello } })
  await world.startWorker()
  const form = await world.processes.start({ kind: 'external', id: 'form-1', input: { label: 'a form' } })
  // The sweep has been here once another process, due later, was handled by it.
  const other = await world.registry.register({
    id: 'later',
    input: { type: 'external', metadata: {} },
    disposition: 'externally_owned',
    provenance: { originator: { type: 'host' } },
  })
  await world.registry.requestAbandon(other.record.id, { requestedBy: 'ana' })
  expect(await world.registry.awaitOutcome('later')).toMatchObject({
    status: 'abandoned',
    evidence: { writer: 'reconciled_request' },
  })
  expect(await form.describe()).toMatchObject({ status: 'running', attempts: 0 })
  await expect(world.workflow('form-1').describe()).rejects.toThrow(WorkflowNotFoundError)
  await expect(world.workflow('later').describe()).rejects.toThrow(WorkflowNotFoundError)
  await world.registry.complete(
    'form-1',
    { status: 'completed', value: 'signed' },
    { authority: 'external_owner', grantedTo: 'ana' },
  )
  expect(await form.outcome()).toEqual({ status: 'completed', value: 'signed' })
})

test('a kind, a tool and an input that the host does not know are refused before anything is written', async () => {
  await using world = await openWorld({ engines: { hello } })
  await expect(world.processes.startUntyped({ kind: 'nothing', input: null })).rejects.toMatchObject({
    code: 'process_kind_unknown',
  })
  await expect(
    world.processes.startUntyped({ kind: 'tool_call', input: { tool: 'nothing', args: {} } }),
  ).rejects.toMatchObject({ code: 'process_tool_unknown' })
  await expect(world.processes.startUntyped({ kind: 'hello', input: { name: 7 } })).rejects.toMatchObject({
    code: 'process_input_invalid',
  })
  expect((await world.registry.list()).records).toEqual([])
})

test('a handle on an id that was never registered says so at its first use', async () => {
  await using world = await openWorld({ engines: { hello } })
  const handle = world.processes.handle('nobody')
  for (const use of [handle.outcome(), handle.describe(), handle.cancel()]) {
    await expect(use).rejects.toSatisfy(error => isLeaseholdError(error, 'process_unknown'))
  }
})
