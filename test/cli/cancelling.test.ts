import { describe, expect, test } from 'vitest'
import { openWorkspace } from './fixtures.ts'
import { end, register, registerAtTemporal, registerExternal } from './records.ts'

/** Nobody listens there. */
const NOWHERE = { TEMPORAL_ADDRESS: '127.0.0.1:9' }

describe('cancel', () => {
  test('records the request and its reason', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerAtTemporal(registry, id)
    const { code, stdout } = await cli(['cancel', id, '--reason', 'user pressed stop'])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Cancel of process ${id} recorded; its worker is told.\n`,
    })
    expect((await registry.get(id))?.cancelRequest).toMatchObject({ reason: 'user pressed stop' })
  })

  test('prints the record as one JSON document', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerAtTemporal(registry, id)
    const { stdout } = await cli(['cancel', id, '--json'])
    expect(JSON.parse(stdout)).toEqual({ ...(await registry.get(id)), temporalTold: true })
  })

  test('records it without a Temporal server too, and says who acts on it', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerAtTemporal(registry, id)
    const { code, stdout, stderr } = await cli(['cancel', id], { env: NOWHERE })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/recorded\. No Temporal server answers at 127\.0\.0\.1:9: a worker .* next sweep/)
    expect((await registry.get(id))?.cancelRequest).toBeDefined()
    expect(JSON.parse((await cli(['cancel', id, '--json'], { env: NOWHERE })).stdout)).toMatchObject({
      id,
      temporalTold: false,
    })
  })

  test('by force says so, in the record as well', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerAtTemporal(registry, id)
    const { code, stdout } = await cli(['cancel', id, '--force'])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Forced cancel of process ${id} recorded; its worker is told.\n`,
    })
    expect((await registry.get(id))?.cancelRequest).toMatchObject({ forcedAtMs: expect.any(Number) })
    expect(await registry.countEventsThrough(id, 'process.cancel_requested', 100)).toBe(1)
  })

  test('claims to have told nobody of what Temporal does not run, or is not ours to end', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await register(registry, id)
    expect((await cli(['cancel', id])).stdout).toMatch(
      /recorded: a worker .* sees it at once, else the next sweep/,
    )
    await registerExternal(registry, `${id}-theirs`)
    expect((await cli(['cancel', `${id}-theirs`])).stdout).toContain(
      "recorded in its log. It is somebody else's work",
    )
    expect(JSON.parse((await cli(['cancel', id, '--json'])).stdout)).toMatchObject({ temporalTold: false })
  })

  test('of a process that has ended says so', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerExternal(registry, id)
    await end(registry, id, { status: 'completed', value: 1 })
    expect(await cli(['cancel', id])).toMatchObject({
      code: 0,
      stdout: `Process ${id} has already ended: completed. The request was noted in its log.\n`,
    })
  })
})
