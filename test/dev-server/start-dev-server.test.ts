import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { findFreePorts } from '../../src/dev-server/free-ports.ts'
import { type DevServer, startDevServer } from '../../src/dev-server/index.ts'
import { realTemporal, temporaryFolder, untilGone, writeExecutable } from './fixtures.ts'

let temporal: string
beforeAll(async () => {
  temporal = await realTemporal()
}, 600_000)

async function start(options: Partial<Parameters<typeof startDevServer>[0]> = {}): Promise<DevServer> {
  const server = await startDevServer({
    env: { TEMPORAL_CLI_PATH: temporal },
    cacheDir: '/nowhere',
    preferredPort: 0,
    ...options,
  })
  onTestFinished(() => server.stop())
  return server
}

async function occupyPort(): Promise<number> {
  const server: Server = createServer().listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

const portOf = (address: string | undefined): number => Number(address?.split(':').at(-1))

async function describeNamespace(address: string, namespace: string): Promise<string | null | undefined> {
  const connection = await Connection.connect({ address })
  const answer = await connection.workflowService.describeNamespace({ namespace })
  await connection.close()
  return answer.namespaceInfo?.name
}

describe('a server that is started', () => {
  test('answers at the preferred ports if they are free, with its UI and further namespaces', async () => {
    const [port, uiPort] = (await findFreePorts([0, 0])) as [number, number]
    const server = await start({
      preferredPort: port,
      ui: true,
      preferredUiPort: uiPort,
      namespaces: ['other'],
    })
    expect(server).toMatchObject({
      address: `127.0.0.1:${port}`,
      uiAddress: `http://127.0.0.1:${uiPort}`,
      source: 'TEMPORAL_CLI_PATH',
    })
    expect(await describeNamespace(server.address, 'other')).toBe('other')
    expect((await fetch(`${server.uiAddress}/`)).status).toBe(200)
  })

  test('takes other ports if the preferred ones are taken', async () => {
    const [port, uiPort] = [await occupyPort(), await occupyPort()]
    const server = await start({ preferredPort: port, ui: true, preferredUiPort: uiPort })
    expect(portOf(server.address)).not.toBe(port)
    expect(portOf(server.uiAddress)).not.toBe(uiPort)
    expect(await describeNamespace(server.address, 'default')).toBe('default')
  })

  test('goes to another port if its own is lost between the look and the start', async () => {
    const [folder, port] = [await temporaryFolder(), await occupyPort()]
    // The first time, this CLI is told the port of somebody else, as if that one had just come.
    const late = await writeExecutable(
      join(folder, 'temporal'),
      `const fs = require('node:fs')
       const args = process.argv.slice(2)
       const seen = ${JSON.stringify(join(folder, 'seen'))}
       if (!fs.existsSync(seen)) args[args.indexOf('--port') + 1] = '${port}'
       fs.writeFileSync(seen, '')
       const child = require('node:child_process').spawn(${JSON.stringify(temporal)}, args, { stdio: 'inherit' })
       child.on('exit', code => process.exit(code))
       process.on('SIGTERM', () => {})`,
    )
    const server = await start({ env: { TEMPORAL_CLI_PATH: late } })
    expect(existsSync(join(folder, 'seen'))).toBe(true)
    expect(await describeNamespace(server.address, 'default')).toBe('default')
  })

  test('is ready when a newer CLI says so in its own words', async () => {
    // Whichever this machine has, it announces itself as either of the two does: `Server:`, or `Temporal Server:`.
    const said = async (words: string) => {
      const path = await writeExecutable(
        join(await temporaryFolder(), 'temporal'),
        `const { spawn } = require('node:child_process')
         const child = spawn(${JSON.stringify(temporal)}, process.argv.slice(2), { stdio: ['ignore', 'pipe', 'inherit'] })
         child.stdout.on('data', text => process.stdout.write(String(text).replace(/^(Temporal )?Server:/m, '${words}')))
         child.on('exit', code => process.exit(code))
         process.on('SIGTERM', () => {})`,
      )
      const server = await start({ env: { TEMPORAL_CLI_PATH: path } })
      return describeNamespace(server.address, 'default')
    }
    expect(await Promise.all([said('Server:'), said('Temporal Server:')])).toEqual(['default', 'default'])
  })

  test('several at once, all wanting the same port, do not mistake each other for themselves', async () => {
    const [port] = (await findFreePorts([0])) as [number]
    const servers = await Promise.all([1, 2, 3].map(() => start({ preferredPort: port })))
    expect(new Set(servers.map(({ address }) => address)).size).toBe(3)
    await servers[0]?.stop()
    for (const { address } of servers.slice(1))
      expect(await describeNamespace(address, 'default')).toBe('default')
  })

  test('keeps its state in a file if one is given', async () => {
    const dbFilename = join(await temporaryFolder(), 'temporal.db')
    await start({ dbFilename })
    expect(existsSync(dbFilename)).toBe(true)
  })

  test('ends by stop, which may come twice, and tells that it was expected', async () => {
    const server = await start()
    await Promise.all([server.stop(), server.stop()])
    await server.stop()
    expect(await server.exited).toMatchObject({ expected: true })
    await untilGone(server.pid as number)
    expect(await findFreePorts([portOf(server.address)])).toEqual([portOf(server.address)])
  })

  test('ends at the end of an `await using` block', async () => {
    let pid: number | undefined
    {
      await using server = await start()
      pid = server.pid
    }
    await untilGone(pid as number)
  })

  test('tells when it dies by itself', async () => {
    const server = await start()
    process.kill(server.pid as number, 'SIGKILL')
    expect(await server.exited).toEqual({ expected: false, code: 137, stderr: '' })
    await server.stop()
  })
})

describe('a start that fails', () => {
  test('with the last words of a server that ended', async () => {
    const path = await writeExecutable(
      join(await temporaryFolder(), 'temporal'),
      'console.error("the disk is on fire"); process.exit(3)',
    )
    await expect(start({ env: { TEMPORAL_CLI_PATH: path } })).rejects.toMatchObject({
      code: 'temporal_server_failed',
      message: expect.stringMatching(/exit code 3.*the disk is on fire/s),
    })
  })

  test('with what the CLI says about a wrong argument', async () => {
    await expect(start({ extraArgs: ['--no-such-flag'] })).rejects.toMatchObject({
      code: 'temporal_server_failed',
      message: expect.stringContaining('no-such-flag'),
    })
  })

  test('by an abort, which leaves no server behind', async () => {
    const folder = await temporaryFolder()
    const pidFile = join(folder, 'pid')
    const silent = await writeExecutable(
      join(folder, 'temporal'),
      `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000)`,
    )
    const abort = new AbortController()
    const starting = start({ env: { TEMPORAL_CLI_PATH: silent }, signal: abort.signal })
    await expect.poll(() => existsSync(pidFile), { timeout: 15_000 }).toBe(true)
    const reason = new Error('Ctrl-C')
    abort.abort(reason)
    await expect(starting).rejects.toBe(reason)
  })
})

describe('TEMPORAL_ADDRESS', () => {
  test('comes before everything else, and stop leaves that server running', async () => {
    const theirs = await start()
    const server = await start({ env: { TEMPORAL_ADDRESS: theirs.address, TEMPORAL_CLI_PATH: '/nowhere' } })
    expect(server).toMatchObject({ address: theirs.address, source: 'TEMPORAL_ADDRESS' })
    expect(server.pid).toBeUndefined()
    await server.stop()
    await server.stop()
    expect(await server.exited).toMatchObject({ expected: true })
    expect(await describeNamespace(theirs.address, 'default')).toBe('default')
  })

  test('that nobody answers is an error which says what to do', async () => {
    const [port] = await findFreePorts([0])
    await expect(start({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` } })).rejects.toMatchObject({
      code: 'temporal_unreachable',
      message: expect.stringMatching(new RegExp(`${port}.*unset TEMPORAL_ADDRESS`)),
    })
  })
})
