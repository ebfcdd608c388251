import { expect, test } from 'vitest'
import { findFreePorts } from '../../src/dev-server/free-ports.ts'
import { openWorkspace } from './fixtures.ts'
import { LOOPBACK, listeners } from './listeners.ts'

test('server, UI and worker of dev take connections of this machine alone', async () => {
  const { start, writeHost } = await openWorkspace()
  const host = await writeHost(
    `engines: { greet: defineEngine({ disposition: 'rerunnable', run: () => 'hello' }) }`,
  )
  const dev = start(['dev', '--host', host, '--json'], { env: { TEMPORAL_ADDRESS: '' } })
  const { temporal } = JSON.parse(await dev.line('"ready"')).ready
  const ofServer = await listeners(temporal.pid)
  // Its frontend and its UI at the least, which shows that they are found.
  expect(ofServer.length).toBeGreaterThanOrEqual(2)
  expect(ofServer.filter(address => !LOOPBACK.has(address))).toEqual([])
  expect(await listeners(dev.child.pid ?? 0)).toEqual([])
  dev.child.kill('SIGINT')
  expect((await dev.ended).code).toBe(0)
})

test.each([
  { what: 'dev --inline', address: (port: number) => `${port}`, isOpen: false },
  // Which shows that an address of another kind would be seen.
  { what: 'dev --inline, told to by name,', address: (port: number) => `0.0.0.0:${port}`, isOpen: true },
])('the metrics of $what are open to others: $isOpen', async ({ address, isOpen }) => {
  const { start, writeHost } = await openWorkspace()
  const host = await writeHost(
    `engines: { greet: defineEngine({ disposition: 'rerunnable', run: () => 'hello' }) }`,
  )
  const [port = 0] = await findFreePorts([0])
  const dev = start(['dev', '--inline', '--host', host, '--metrics', address(port)])
  await dev.line('Ready')
  const found = await listeners(dev.child.pid ?? 0)
  expect(found).toHaveLength(1)
  expect(found.some(one => !LOOPBACK.has(one))).toBe(isOpen)
  dev.child.kill('SIGINT')
  expect((await dev.ended).code).toBe(0)
})
