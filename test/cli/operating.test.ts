import { Client, Connection } from '@temporalio/client'
import { describe, expect, inject, test } from 'vitest'
import { TEMPORAL_BACKEND } from '../../src/contract.ts'
import type { ProcessRegistry } from '../../src/registry/registry.ts'
import { registration } from '../model/fixtures.ts'
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
})
