import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findFreePorts } from '../../src/dev-server/free-ports.ts'
import { eventually } from '../support/eventually.ts'
import { openWorkspace } from './fixtures.ts'
import { LOOPBACK, listeners } from './listeners.ts'

const MEMBERS = `
  engines: {
    work: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.step('one', () => 1) }),
    wait: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.sleep(3_600_000) }),
  }`

test('a worker with --metrics answers a scrape on loopback with what its registry and it itself say', async () => {
  const workspace = await openWorkspace()
  const env = { LEASEHOLD_HOST: await workspace.writeHost(MEMBERS) }
  const [port] = await findFreePorts([0])
  const dev = workspace.start(['dev', '--inline', '--metrics', String(port)], { env })
  await dev.line('Ready')
  const url = `http://127.0.0.1:${port}/metrics`
  expect((await workspace.cli(['start', 'work', '--inline', '--wait'], { env })).code).toBe(0)
  expect((await workspace.cli(['start', 'wait', '--inline'], { env })).code).toBe(0)
  const text = await eventually(async () => {
    const scraped = await (await fetch(url)).text()
    if (!/leasehold_processes_live\{[^}]*status="waiting"[^}]*\} 1\b/.test(scraped)) throw new Error(scraped)
    return scraped
  })
  expect(text).toMatch(/leasehold_attempts_total\{[^}]*kind="work",outcome="completed"[^}]*\} 1\b/)
  expect(text).toMatch(/leasehold_step_duration_count\{[^}]*step="one",outcome="done"[^}]*\} 1\b/)
  expect(text).toMatch(/leasehold_wakes_oldest(\{[^}]*\})? 0\b/)
  expect(text).toMatch(/leasehold_slots\{[^}]*state="working"[^}]*\} 0\b/)
})

test('the figures of a worker on Temporal move with what it does', async () => {
  const workspace = await openWorkspace()
  const door = join(workspace.folder, 'door')
  const env = {
    LEASEHOLD_HOST: await workspace.writeHost(`
      engines: {
        work: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.step('one', () => 1) }),
        held: defineEngine({
          disposition: 'rerunnable',
          async run(ctx) {
            // Another OS process, whose standard input and port are the command's: all that the test can tell it is a file.
            const { existsSync } = process.getBuiltinModule('node:fs')
            while (!existsSync(${JSON.stringify(door)})) await new Promise(resolve => setTimeout(resolve, 20))
            return ctx.step('after', () => 1)
          },
        }),
      }`),
  }
  const [port = 0] = await findFreePorts([0])
  const worker = workspace.start(['worker', '--metrics', `${port}`], { env })
  expect(await worker.line('metrics')).toContain(`http://127.0.0.1:${port}/metrics`)
  const found = await listeners(worker.child.pid ?? 0)
  expect(found).toHaveLength(1)
  expect(found.filter(address => !LOOPBACK.has(address))).toEqual([])

  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const figure = async (name: string, ...labels: string[]): Promise<number> => {
    const lines = (await scrape())
      .split('\n')
      .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    const line = lines.find(one => labels.every(label => one.includes(label)))
    return line === undefined
      ? 0
      : Number(
          line
            .slice(line.lastIndexOf('}') + 1)
            .trim()
            .split(' ')[0],
        )
  }
  const shows = (value: number, name: string, ...labels: string[]) =>
    eventually(async () => expect(await figure(name, ...labels)).toBe(value))
  const begin = (...args: string[]) => workspace.cli(['start', ...args], { env })

  for (const times of [1, 2]) {
    expect((await begin('work', '--wait')).code).toBe(0)
    await shows(times, 'leasehold_attempts_total', 'kind="work"', 'outcome="completed"')
    await shows(times, 'leasehold_step_duration_count', 'step="one"', 'outcome="done"')
  }
  await shows(0, 'leasehold_processes_live', 'status="active"')
  expect((await begin('held', '--id', workspace.id)).code).toBe(0)
  await shows(1, 'leasehold_processes_live', 'status="active"')
  await shows(1, 'leasehold_slots', 'state="working"')

  // Its lease is taken from it, as by one who was wrong about its death.
  const registry = await workspace.openRegistry()
  await eventually(async () => expect(await registry.getLease(workspace.id)).toBeDefined())
  for (const row of await registry.workers()) await registry.proveWorkerDead(row.worker)
  await shows(1, 'leasehold_lease_losses_total', 'kind="held"')
  await writeFile(door, '')
  await shows(1, 'leasehold_attempts_total', 'kind="held"', 'outcome="completed"')
  await shows(0, 'leasehold_processes_live', 'status="active"')

  expect(await figure('leasehold_wakes_oldest')).toBe(0)
  const elsewhere = `${workspace.id}-elsewhere`
  const news = { name: 'news', payloadSchema: true, semantics: { wake: { input: 'payload' } } } as const
  await registry.register({
    id: elsewhere,
    input: { type: 'external', metadata: null },
    disposition: 'externally_owned',
    provenance: { originator: { type: 'host' } },
    wakeTarget: { sessionId: 'that never was' },
    eventTypes: [news],
  })
  await registry.append(elsewhere, { eventType: 'news', payload: 'it rains' })
  const isOlderThan = (seconds: number) =>
    eventually(async () => expect(await figure('leasehold_wakes_oldest')).toBeGreaterThan(seconds))
  await isOlderThan(0)
  await isOlderThan(await figure('leasehold_wakes_oldest'))
})

test('a port that is taken, and what is no port, are said plainly', async () => {
  const { cli, writeHost } = await openWorkspace()
  const host = await writeHost(MEMBERS)
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await eventually(() => server.listening)
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const taken = await cli(['dev', '--inline', '--host', host, '--metrics', String(port)])
  expect(taken.code).toBe(2)
  expect(taken.stderr).toContain(`Metrics cannot be offered at 127.0.0.1:${port}`)
  for (const none of ['all', '0', '65536']) {
    const refused = await cli(['dev', '--inline', '--host', host, '--metrics', none])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('HOST:PORT')
  }
})
