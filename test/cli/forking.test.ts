import { describe, expect, test } from 'vitest'
import { localWorker } from '../../src/execution/environment.ts'
import { openWorkspace } from './fixtures.ts'
import { register } from './records.ts'

/** A process with one journaled step. */
async function openStepped() {
  const workspace = await openWorkspace()
  const registry = await workspace.openRegistry()
  await register(registry, workspace.id)
  const begun = await registry.beginAttempt(workspace.id, {
    worker: localWorker(registry),
    attempt: 'a',
    ttlMs: 60_000,
  })
  if (begun.type !== 'run') throw new Error(`the attempt came to ${begun.type}`)
  await registry.saveJournalEntry(begun.lease, {
    processId: begun.lease.processId,
    epoch: 0,
    position: 1,
    address: 'read#1',
    kind: 'step',
    effect: 'repeatable',
    digest: 'digest',
    status: 'done',
    operationId: 'op_1',
    value: 1,
    attempt: 'a',
    fence: begun.lease.fencingToken,
    startedAtMs: 1,
    endedAtMs: 1,
  })
  return { ...workspace, registry }
}

describe('fork', () => {
  test('registers a process that goes on from the step, once', async () => {
    const { cli, registry, id } = await openStepped()
    const fork = `${id}-again`
    const run = () => cli(['fork', id, '--from', 'read#1', '--id', fork])
    expect(await run()).toMatchObject({
      code: 0,
      stdout: `Process ${fork} goes on from step read#1 of process ${id}.\n`,
    })
    expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining('already') })
    expect(await registry.get(fork)).toMatchObject({ status: 'running' })
  })

  test('from a step that is not there says what to look at', async () => {
    const { cli, id } = await openStepped()
    const { code, stderr } = await cli(['fork', id, '--from', 'nothing#1', '--id', `${id}-again`])
    expect({ code, stderr }).toMatchObject({ stderr: expect.stringContaining('error: step_not_found: ') })
    expect(code).not.toBe(0)
  })
})
