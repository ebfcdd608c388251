import { describe, expect, test } from 'vitest'
import type { Check } from '../../src/cli/doctor/check.ts'
import { SCHEMA_VERSION } from '../../src/registry/sql/migrations.ts'
import { type CliEnd, openWorkspace } from './fixtures.ts'

const statuses = ({ stdout }: CliEnd): Record<string, string> =>
  Object.fromEntries(JSON.parse(stdout).checks.map(({ name, status }: Check) => [name, status]))

describe('doctor', () => {
  test('finds everything in order, a line each', async () => {
    const { cli, start, writeHost } = await openWorkspace()
    const host = await writeHost(
      'engines: { greet: defineEngine({ disposition: "rerunnable", run: () => 1 }) }',
    )
    await start(['worker', '--host', host]).line('ready')
    const { code, stdout, stderr } = await cli(['doctor', '--try-order', '--host', host])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const names = [
      'node',
      'host',
      'registry',
      'feed',
      'bundle',
      'temporal',
      'namespace',
      'workers',
      'clock',
      'order',
    ]
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map(line => line.split(/\s+/).slice(0, 2)),
    ).toEqual(names.map(name => ['ok', name]))
    expect(stdout).toMatch(/temporal +127\.0\.0\.1:\d+: server 1\./)
    expect(stdout).toContain('engines greet; tools none')
    expect(stdout).toContain(`schema version ${SCHEMA_VERSION}, writable`)
  })

  test('warns of what may be as it is: no worker yet', async () => {
    const { cli, openRegistry } = await openWorkspace()
    const registry = await openRegistry()
    const source = { type: 'schedule', cron: '@yearly', timeZone: 'UTC' } as const
    await registry.saveTrigger({ triggerId: 'yearly', source, start: { kind: 'report' } })
    const ended = await cli(['doctor', '--json'])
    expect(ended.code).toBe(0)
    const warned = { workers: 'warn', schedules: 'warn' }
    expect(statuses(ended)).toMatchObject({ registry: 'ok', temporal: 'ok', ...warned })
    // Looking changes nothing: what starts workflows has to be asked for.
    expect(statuses(ended)).not.toHaveProperty('order')
    expect((await cli(['doctor'])).stdout).toContain('Start one with "leasehold worker --host FILE"')
  })

  test('warns of a registry that was not made yet, and makes none', async () => {
    const { cli } = await openWorkspace()
    const ended = await cli(['doctor', '--json'])
    expect(ended.code).toBe(0)
    expect(statuses(ended).registry).toBe('warn')
    expect(statuses(await cli(['doctor', '--json'])).registry).toBe('warn')
  })

  test('warns of a host that keeps its processes elsewhere', async () => {
    const { cli, openRegistry, writeHost, folder } = await openWorkspace()
    await openRegistry()
    const host = await writeHost('')
    const elsewhere = `sqlite:${folder}/data/leasehold.db`
    expect(statuses(await cli(['doctor', '--json', '--host', host, '--registry', elsewhere])).host).toBe('ok')
    const other = await openWorkspace()
    await other.openRegistry()
    const ended = await cli([
      'doctor',
      '--json',
      '--host',
      host,
      '--registry',
      `sqlite:${other.registryPath}`,
    ])
    expect(ended.code).toBe(0)
    expect(statuses(ended).host).toBe('warn')
  })

  test.each([
    { title: 'no server', env: { TEMPORAL_ADDRESS: '127.0.0.1:9' }, fails: 'temporal', exit: 5 },
    { title: 'no such namespace', env: { TEMPORAL_NAMESPACE: 'nowhere' }, fails: 'namespace', exit: 1 },
    { title: 'no registry named', env: { LEASEHOLD_REGISTRY: '' }, fails: 'registry', exit: 1 },
    {
      title: 'a registry that is a folder',
      env: { LEASEHOLD_REGISTRY: 'sqlite:.' },
      fails: 'registry',
      exit: 5,
    },
    { title: 'no host module', env: { LEASEHOLD_HOST: 'nowhere.ts' }, fails: 'host', exit: 1 },
    { title: 'no room for the bundle', env: { XDG_CACHE_HOME: '/dev/null' }, fails: 'bundle', exit: 1 },
  ])('fails for $title with exit $exit, and makes all other checks', async ({ env, fails, exit }) => {
    const { cli, openRegistry } = await openWorkspace()
    await openRegistry()
    const ended = await cli(['doctor', '--json'], { env })
    expect(ended.code).toBe(exit)
    const { [fails]: failed, ...others } = statuses(ended)
    expect(failed).toBe('fail')
    expect(Object.values(others)).not.toContain('fail')
    expect(Object.keys(others).length).toBeGreaterThanOrEqual(3)
  })
})
