import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor } from '../support/marks.ts'

/** Takes connections and never says a word: whoever calls it waits. */
async function silentServer(): Promise<string> {
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('a port was asked for')
  return `127.0.0.1:${address.port}`
}

test('a process whose client was killed between registering and submitting it is started by the sweep', async () => {
  await using world = await openCrashWorld()
  const script = fileURLToPath(new URL('../support/client-main.ts', import.meta.url))
  const options = { ...world, address: await silentServer(), id: 'half-started' }
  const { registryPath, address, folder, id } = options
  const child = spawn(process.execPath, [script, JSON.stringify({ registryPath, address, folder, id })], {
    stdio: 'inherit',
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const record = await eventually(async () => {
    const found = await world.registry.get(id)
    expect(found).toBeDefined()
    return found
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(record).toMatchObject({ status: 'running', attempts: 0 })
  expect((await world.registry.get(id))?.externalRef).toBeUndefined()
  openDoor(folder)
  const worker = await world.spawnWorker()
  expect(await world.registry.awaitOutcome(id)).toMatchObject({ value: { last: worker.pid, attempt: 1 } })
})
