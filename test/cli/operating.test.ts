import { hostname } from 'node:os'
import { Client, Connection } from '@temporalio/client'
import { describe, expect, inject, test } from 'vitest'
import { TEMPORAL_BACKEND } from '../../src/contract.ts'
import { localLiveness } from '../../src/execution/liveness.ts'
import type { ProcessRegistry } from '../../src/registry/registry.ts'
import { owner, registration } from '../model/fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { openWorkspace } from './fixtures.ts'
import { register, registerExternal } from './records.ts'

/** Nobody listens there. */
const NOWHERE = { TEMPORAL_ADDRESS: '127.0.0.1:9' }

describe('sweep', () => {
  test('hands over what is due and settles what needs no server, each once', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    const external = `${id}-external`
    await register(registry, id)
    await registerExternal(registry, external)
    await registry.requestAbandon(external, { requestedBy: 'ana' })
    const { code, stdout } = await cli(['sweep'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: `submitted  ${id}\nsettled    ${external}\n` })
    expect(await registry.get(external)).toMatchObject({ status: 'abandoned' })
    expect(await registry.get(id)).toMatchObject({ externalRef: { backend: TEMPORAL_BACKEND, id } })
    expect((await cli(['sweep'])).stdout).toBe('No process is due.\n')
    const connection = await Connection.connect({ address: inject('temporalAddress') })
    const { status } = await new Client({ connection }).workflow.getHandle(id).describe()
    expect(status.name).toBe('RUNNING')
    await connection.close()
  })

  test('says what could not be handed over, and leaves it due', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await register(registry, id)
    await registry.requestCancel(id)
    const ended = await cli(['sweep', '--json'], { env: NOWHERE })
    expect(ended.code).toBe(1)
    expect(JSON.parse(ended.stdout)).toMatchObject({ submitted: [], settled: [], failed: [{ id }] })
    expect(await registry.msUntilDue()).toBe(0)
  }, 90_000)
})

/** A wake that was given up, with one behind it. */
async function blockedWake(registry: ProcessRegistry, id: string): Promise<string> {
  const eventTypes = [
    { name: 'news', payloadSchema: true, semantics: { wake: { input: 'payload' } } },
  ] as const
  await registry.register(registration({ id, eventTypes, wakeTarget: { sessionId: 'desk' } }))
  for (const payload of ['first', 'second']) await registry.append(id, { eventType: 'news', payload })
  const { claims } = await registry.claimWakes()
  for (const claim of claims) await registry.settleWake(claim, { type: 'discard', reason: 'target_gone' })
  return claims[0]?.delivery.wakeId ?? ''
}

describe('wakes', () => {
  test('list names what holds up others, redrive tries it again', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    const wakeId = await blockedWake(registry, id)
    const { stdout } = await cli(['wakes', 'list'])
    expect(stdout.split('\n')[1]).toMatch(new RegExp(`^${wakeId}  desk  +${id}  .*Z  +target_gone  1$`))
    expect(await cli(['wakes', 'redrive', wakeId])).toMatchObject({ code: 0, stderr: '' })
    expect(await registry.wakesOf(id)).toMatchObject([{ status: 'pending' }, { status: 'pending' }])
    expect((await cli(['wakes', 'list'])).stdout).toBe('No wake holds up others.\n')
  })

  test('are one JSON document each', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const wakeId = await blockedWake(await openRegistry(), id)
    expect(JSON.parse((await cli(['wakes', 'list', '--json'])).stdout)).toMatchObject({
      blocked: [{ wakeId, sessionId: 'desk', processId: id, reason: 'target_gone', waiting: 1 }],
    })
    expect(JSON.parse((await cli(['wakes', 'redrive', wakeId, '--json'])).stdout)).toEqual({
      redriven: [wakeId],
      failed: [],
      notTried: [],
    })
  })

  test('redrive refuses what holds up nobody', async () => {
    const { cli, openRegistry } = await openWorkspace()
    await openRegistry()
    const { code, stderr } = await cli(['wakes', 'redrive', 'wake:none'])
    expect(code).toBe(4)
    expect(stderr).toMatch(
      /^error: wake_not_blocked: The wake "wake:none" does not hold up others: there is no/,
    )
  })

  test('redrive tells of each of several what became of it, and exits 4 where one was refused', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    const wakeId = await blockedWake(registry, id)
    const { code, stdout } = await cli(['wakes', 'redrive', 'wake:none', wakeId, '--json'])
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({
      redriven: [wakeId],
      failed: [{ wakeId: 'wake:none', code: 'wake_not_blocked' }],
      notTried: [],
    })
    const again = await cli(['wakes', 'redrive', wakeId, 'wake:none'])
    expect(again.code).toBe(4)
    expect(again.stdout.split('\n').map(line => line.split(':').slice(0, 3).join(':'))).toEqual([
      `${wakeId} is not: wake_not_blocked`,
      'wake:none is not: wake_not_blocked',
      '',
    ])
  })
})

describe('sessions', () => {
  const message = { role: 'user', content: 'good morning' }

  /** A session that a turn has, with one entry, and another turn that waits for it. */
  async function open(registry: ProcessRegistry, id: string): Promise<void> {
    const input = {
      type: 'session_turn',
      createRequest: { sessionId: 'desk' },
      turnInput: 'next',
      outputContract: { type: 'string' },
    } as const
    await registry.createSession({ sessionId: 'desk', turnId: 'turn' })
    const entries = [{ kind: 'message', message }] as const
    await registry.appendToSession('desk', { turnId: 'turn', after: 0, entries })
    const { envRef: _, ...turn } = registration({ id, input })
    await registry.register(turn, { turnOf: 'desk' })
  }

  test('are shown, closed, forked and deleted', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await open(registry, id)
    const shown = (await cli(['sessions', 'show', 'desk'])).stdout.split('\n')
    expect(shown[0]).toMatch(/^1 {2}.*Z {2}turn {2}.*good morning/)
    expect(shown.slice(1, 3)).toEqual(['Turn turn has it.', `Waiting: ${id}`])
    const closed = await cli(['sessions', 'close', 'desk', '--json'])
    expect(JSON.parse(closed.stdout)).toMatchObject({
      session: { closedAtMs: expect.any(Number) },
      cancelled: [id],
    })
    expect(await registry.get(id)).toMatchObject({
      cancelRequest: { reason: 'session "desk" was closed' },
    })
    const fork = await cli(['sessions', 'fork', 'desk', '--id', 'other', '--at', '1'])
    expect(fork.stdout).toBe('Session other begins with what was said in session desk up to entry 1.\n')
    expect(await cli(['sessions', 'delete', 'desk'])).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/^error: session_busy/),
    })
    expect((await cli(['sessions', 'delete', 'other'])).code).toBe(0)
    expect(await registry.findSession('other')).toEqual({ type: 'deleted' })
  })

  test.each([
    [['show', 'none'], 3, 'session_unknown'],
    [['fork', 'none'], 2, 'usage'],
    [['close', 'none', '--at', '1'], 2, 'usage'],
  ])('%j is refused', async (args, code, error) => {
    const { cli, openRegistry } = await openWorkspace()
    await openRegistry()
    expect(await cli(['sessions', ...args])).toMatchObject({
      code,
      stderr: expect.stringMatching(new RegExp(`^error: ${error}: `)),
    })
  })
})

describe('drain', () => {
  const HOST = `engines: {
    wait: defineEngine({
      disposition: 'owner_bound',
      run: ctx => new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))),
    }),
  }`

  test('a worker that is asked stops, and its report is printed (§6 #189)', async () => {
    const { cli, start, writeHost, openRegistry, id } = await openWorkspace()
    const host = await writeHost(HOST)
    const worker = start(['worker', '--host', host])
    const name = (await worker.line('worker  ')).trim().split(/ +/)[1] ?? ''
    expect(await cli(['start', 'wait', '--id', id, '--host', host])).toMatchObject({ code: 0 })
    const registry = await openRegistry()
    await eventually(async () => (await registry.get(id))?.firstStarted !== undefined)
    const { code, stdout } = await cli(['drain', '--worker', name, '--by', 'ops'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${name}: drained.\n  abandoned  ${id}\n` })
    expect(await worker.ended).toMatchObject({ code: 0 })
    expect(await registry.get(id)).toMatchObject({ outcome: { evidence: { writer: 'owner_drain' } } })
    expect((await cli(['drain', '--all-here'])).stdout).toBe('No worker runs on this host.\n')
  })

  test('says of one that does not answer, or has died, what is to be expected', async () => {
    const { cli, openRegistry } = await openWorkspace()
    const registry = await openRegistry()
    const silent = owner('silent')
    await registry.announceWorker(silent)
    const asked = await cli(['drain', '--worker', 'silent', '--timeout', '1ms'])
    expect(asked).toMatchObject({ code: 1, stdout: 'silent: asked; no report yet.\n' })
    expect(await cli(['drain', '--worker', 'silent', '--no-wait'])).toMatchObject({ code: 0 })
    expect(await registry.drainOf(silent.incarnationId)).toMatchObject({ requestedBy: 'the command line' })
    const late = owner('late')
    await registry.announceWorker(late)
    const waiting = cli(['drain', '--worker', 'late', '--json'])
    await eventually(async () => (await registry.drainOf(late.incarnationId)) !== undefined)
    await registry.removeWorker(late.incarnationId)
    expect(await waiting).toMatchObject({
      code: 1,
      stdout: '{"workers":[{"worker":"late","state":"gone"}]}\n',
    })
  })

  test('refuses a worker that nobody knows, and names those that run', async () => {
    const { cli, openRegistry } = await openWorkspace()
    const registry = await openRegistry()
    await registry.announceWorker(owner('ben'))
    const { code, stderr } = await cli(['drain', '--worker', 'ana'])
    expect(code).toBe(4)
    expect(stderr).toMatch(/^error: worker_unknown: No worker "ana" is announced .* Those that run: ben\.\n$/)
  })
})

describe('host-dead', () => {
  const onHost = (name: string, hostId: string) => ({
    ...owner(name),
    liveness: { kind: 'local_process', hostId, bootId: 'b', pid: 7, processStart: '1' } as const,
  })

  test('is evidence for all leases of a lost host, in the name of who says so', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    const ben = onHost('ben', 'machine/vm-7/pid:[1]')
    await registry.announceWorker(ben)
    await registry.register(registration({ id, disposition: 'owner_bound' }))
    const begun = await registry.beginAttempt(id, { worker: ben, attempt: 'one', ttlMs: 600_000 })
    if (begun.type !== 'run') throw new Error(begun.type)
    await registry.enterBody(begun.lease, ben)
    const { code, stdout } = await cli(['host-dead', 'vm-7', '--by', 'ana'])
    expect(code).toBe(0)
    expect(stdout).toBe(
      `machine/vm-7/pid:[1] is dead, says ana. Due now, for the next sweep to move on: 1 of its processes.\n- ${id}\n`,
    )
    expect((await registry.recentEvents(id, 1))[0]).toMatchObject({ payload: { by: 'ana' } })
    expect((await cli(['explain', id])).stdout).toContain('its owner ben:attempt:one is proven dead')
    const settled = await registry.beginAttempt(id, { worker: owner('carl'), attempt: 'two', ttlMs: 600_000 })
    expect(settled).toMatchObject({ outcome: { evidence: { writer: 'sweep', statedBy: 'ana' } } })
  })

  test('takes a machine’s own name for what it was before its last boot', async () => {
    const { cli, openRegistry } = await openWorkspace()
    const registry = await openRegistry()
    const before = `machine/${hostname()}/pid:[1]/before`
    await registry.announceWorker(onHost(before, before))
    await registry.announceWorker({ ...owner('here'), liveness: localLiveness(registry) })
    const { stdout } = await cli(['host-dead', hostname(), '--by', 'ana', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ hostId: before })
  })

  test('refuses a host that nobody knows, a name that several have, and the one that it runs on', async () => {
    const { cli, openRegistry } = await openWorkspace()
    const registry = await openRegistry()
    for (const hostId of ['m/vm-7/pid:[1]', 'm/vm-7/pid:[2]'])
      await registry.announceWorker(onHost(hostId, hostId))
    const here = localLiveness(registry)
    if (here.kind === 'opaque') throw new Error('these tests need /proc')
    await registry.announceWorker({ ...owner('here'), liveness: here })
    for (const [host, says] of [
      ['vm-8', 'host_unknown: No worker of a host "vm-8" is announced'],
      ['vm-7', 'host_unknown: Several hosts have the name "vm-7": m/vm-7/pid:[1], m/vm-7/pid:[2].'],
      [here.hostId, 'host_alive: '],
    ] as const) {
      const { code, stderr } = await cli(['host-dead', host, '--by', 'ana'])
      expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining(says) })
    }
    expect(await registry.workers()).toHaveLength(3)
  })
})
