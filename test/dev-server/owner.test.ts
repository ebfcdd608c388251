import { once } from 'node:events'
import { beforeAll, expect, test } from 'vitest'
import { findFreePorts } from '../../src/dev-server/free-ports.ts'
import { isAlive, realTemporal, startOwner, untilGone } from './fixtures.ts'

let env: Record<string, string>
beforeAll(async () => {
  env = { TEMPORAL_CLI_PATH: await realTemporal() }
}, 600_000)

async function startServing() {
  const owner = startOwner('serve', '/nowhere', env)
  const { address, pid } = JSON.parse(await owner.line('{')) as { address: string; pid: number }
  return { ...owner, pid, port: Number(address.split(':')[1]) }
}

test('a server whose owner is SIGKILLed is gone, and its port is free', async () => {
  const { child, pid, port } = await startServing()
  expect(isAlive(pid)).toBe(true)
  child.kill('SIGKILL')
  await untilGone(pid)
  expect(await findFreePorts([port])).toEqual([port])
})

test('a Ctrl-C reaches the owner alone: it drains against a running server, then stops it', async () => {
  const { child, pid, line } = await startServing()
  // A terminal sends SIGINT to the whole foreground process group.
  process.kill(-(child.pid as number), 'SIGINT')
  await line('drained')
  await line('stopped')
  await untilGone(pid)
  if (child.exitCode === null) await once(child, 'exit')
  expect(child.exitCode).toBe(0)
})
