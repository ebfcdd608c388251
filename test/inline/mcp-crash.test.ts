import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createProcessClient } from '../../src/index.ts'
import { temporaryFolder } from '../registry/store-fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { mcpHost } from '../support/mcp-host.ts'
import { MCP_TRANSPORTS } from '../support/mcp-servers.ts'
import { spawnMcpWorker } from '../support/spawn-worker.ts'

test.each(MCP_TRANSPORTS)(
  'a worker that is killed in the middle of MCP calls over $name repeats those that may be, and no other',
  async ({ open }) => {
    const folder = await temporaryFolder()
    const held = join(folder, 'held')
    for (const file of [held, join(folder, 'safe')]) writeFileSync(file, '')
    const lines = (name: string) =>
      readFileSync(join(folder, name), { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean)
    const registry = `sqlite:${join(folder, 'leasehold.db')}`
    const server = await open(folder)
    const processes = createProcessClient({ host: mcpHost(parseRegistryAddress(registry), server) })
    onTestFinished(() => processes[Symbol.asyncDispose]())
    const first = await spawnMcpWorker({ registry, server })
    const start = (tool: 'files_read' | 'files_write') =>
      processes.start({ kind: 'call', input: { tool, what: 'a' } })
    const [read, write] = await Promise.all([start('files_read'), start('files_write')])
    await eventually(() =>
      expect([lines('reads'), lines('writes')]).toMatchObject([['a'], [expect.any(String)]]),
    )
    await first.kill()
    rmSync(held)
    await spawnMcpWorker({ registry, server })
    expect(await read.outcome()).toMatchObject({ status: 'completed', value: 'read a' })
    expect(lines('reads')).toEqual(['a', 'a'])
    // It was done, which nobody who is alive was told.
    expect(await write.outcome()).toMatchObject({
      status: 'failed',
      code: 'step_unknown',
      raw: { unknownEffects: [{ step: 'files_write[c1]' }] },
    })
    expect(lines('writes')).toHaveLength(1)
  },
)
