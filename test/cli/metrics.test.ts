import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { findFreePorts } from '../../src/dev-server/free-ports.ts'
import { eventually } from '../support/eventually.ts'
import { openWorkspace } from './fixtures.ts'

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
