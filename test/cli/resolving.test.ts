import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { localLiveness } from '../../src/execution/liveness.ts'
import type { JournalEntry } from '../../src/model/journal.ts'
import { journalEntry, owner } from '../model/fixtures.ts'
import { openWorkspace } from './fixtures.ts'
import { register } from './records.ts'

const STEP = 'charge[card-1]'

/** A process that has let go of a step which it had claimed. */
async function openInterrupted(patch: Partial<JournalEntry> = {}) {
  const workspace = await openWorkspace()
  const { id } = workspace
  const registry = await workspace.openRegistry()
  await register(registry, id)
  const begun = await registry.beginAttempt(id, { worker: owner('ana'), attempt: 'one', ttlMs: 60_000 })
  if (begun.type !== 'run') return expect.fail(begun.type)
  const { lease } = begun
  const claimed = { processId: lease.processId, attempt: 'one', status: 'claimed', startByMs: 1 } as const
  await registry.saveJournalEntry(lease, journalEntry({ ...claimed, ...patch }))
  return { ...workspace, registry, lease }
}

describe('effects', () => {
  test('says what became of each once step, and who says so', async () => {
    const { cli, registry, lease, id } = await openInterrupted()
    const save = (patch: Partial<JournalEntry>) =>
      registry.saveJournalEntry(lease, journalEntry({ processId: lease.processId, attempt: 'one', ...patch }))
    await save({ address: 'mail#1', position: 2, operationId: 'op_2', value: 1, endedAtMs: 1_000 })
    const failure = { name: 'Error', message: 'reset by peer' }
    await save({ address: 'post#1', position: 3, operationId: 'op_3', status: 'unknown', failure })
    await save({ address: 'read#1', position: 4, effect: 'repeatable' })
    const rows = async () =>
      (await cli(['effects', id])).stdout
        .trimEnd()
        .split('\n')
        .map(line => line.split(/\s{2,}/).slice(0, 4))
    const head = ['STEP', 'STATE', 'OPERATION', 'SAID BY']
    const others = [
      ['mail#1', 'done', 'op_2', 'the step'],
      ['post#1', 'unknown (reset by peer)', 'op_3', '-'],
    ]
    expect(await rows()).toEqual([head, [STEP, 'running', 'op_1', '-'], ...others])
    await registry.endAttempt(lease, 'shutdown')
    await registry.resolveStep(id, STEP, 'not_done', { by: 'ben' })
    expect(await rows()).toEqual([head, [STEP, 'not done', 'op_1', 'ben'], ...others])
    expect(JSON.parse((await cli(['effects', id, '--json'])).stdout)).toEqual({
      effects: await registry.effects(id),
    })
  })

  test('of a process without any says so', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    await register(await openRegistry(), id)
    expect(await cli(['effects', id])).toMatchObject({ code: 0, stdout: 'No once step yet.\n' })
    expect(await cli(['effects', 'ghost'])).toMatchObject({ code: 3 })
  })
})

describe('resolve', () => {
  test('records what somebody has found, and moves a process that is parked for it', async () => {
    const { cli, registry, lease, id } = await openInterrupted()
    await registry.park(lease, [{ key: 'w', sinceMs: 1, on: { type: 'unknown_step', step: STEP } }])
    const resolve = ['resolve', id, STEP, '--value', '{"receipt": 7}', '--by', 'ana']
    expect(await cli(resolve)).toMatchObject({
      code: 0,
      stdout: `Step ${STEP} of process ${id} is done. It was parked for it, and goes on.\n`,
    })
    expect(await registry.msUntilDue()).toBe(0)
    expect(await registry.journalEntry(id, STEP)).toMatchObject({ status: 'done', value: { receipt: 7 } })
    expect((await cli(resolve)).stdout).toBe(`Step ${STEP} of process ${id} is done; that was said before.\n`)
    const { code, stderr } = await cli(['resolve', id, STEP, '--not-done', '--by', 'ana'])
    expect({ code, stderr }).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('error: step_resolution_conflict: '),
    })
  })

  test('asks the operating system about the claimer, and otherwise waits for its last moment', async () => {
    const startByMs = Date.now() + 600_000
    const living = await openInterrupted({ startByMs, claimedBy: owner('ana') })
    await living.registry.release(living.lease)
    const args = (id: string) => ['resolve', id, STEP, '--not-done', '--by', 'ana', '--json']
    const refused = await living.cli(args(living.id))
    expect(refused.code).toBe(4)
    expect(JSON.parse(refused.stderr || refused.stdout).error).toMatchObject({ code: 'step_in_flight' })

    const { pid, liveness } = await deadProcess()
    expect(pid).toBeGreaterThan(0)
    const dead = await openInterrupted({ startByMs, claimedBy: { ...owner('ana'), liveness } })
    await dead.registry.release(dead.lease)
    expect(JSON.parse((await dead.cli(args(dead.id))).stdout)).toMatchObject({
      type: 'resolved',
      effect: { state: 'not_done', resolution: { kind: 'by_hand', by: 'ana' } },
    })
  })

  test.each([
    { title: 'both answers', args: [STEP, '--value', '1', '--not-done', '--by', 'ana'], exit: 2 },
    { title: 'no answer', args: [STEP, '--by', 'ana'], exit: 2 },
    { title: 'a value that is no JSON', args: [STEP, '--value', '{', '--by', 'ana'], exit: 2 },
    { title: 'nobody who says so', args: [STEP, '--not-done'], exit: 2 },
    { title: 'a step that is not there', args: ['charge#9', '--not-done', '--by', 'ana'], exit: 1 },
  ])('with $title changes nothing', async ({ args, exit }) => {
    const { cli, registry, id } = await openInterrupted()
    expect(await cli(['resolve', id, ...args])).toMatchObject({ code: exit })
    expect(await registry.effects(id)).toMatchObject([{ state: 'running' }])
  })
})

/** What a worker of this host that has ended was known by. */
async function deadProcess() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const liveness = localLiveness({ isOfOneMachine: true }, pid)
  child.kill('SIGKILL')
  await once(child, 'exit')
  return { pid, liveness }
}
