import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { findFreePorts } from '../../src/dev-server/free-ports.ts'
import { requireFrontend } from '../../src/dev-server/frontend.ts'
import { fakeGo, leavings, OFFLINE, untilBuilds, untilGone, writeExecutable } from '../dev-server/fixtures.ts'
import { jsonError, openWorkspace } from './fixtures.ts'

const MEMBERS = `
  engines: {
    greet: defineEngine({ disposition: 'rerunnable', run: () => 'hello' }),
    stubborn: defineEngine({ disposition: 'rerunnable', run: () => new Promise(() => {}) }),
  }`

/** `dev` with a server of its own: the tests' shared one is not named to it. */
async function withDev(variables: Readonly<Record<string, string>> = {}) {
  const workspace = await openWorkspace()
  const host = await workspace.writeHost(MEMBERS)
  const env = { TEMPORAL_ADDRESS: '', ...variables }
  return {
    ...workspace,
    host,
    dev: (...flags: string[]) => workspace.start(['dev', ...flags], { env }),
  }
}

async function readyOf(dev: { line(text: string): Promise<string> }) {
  return JSON.parse(await dev.line('"ready"')).ready
}

/** Somebody else's listener at this port, whoever it is. */
async function takePort(port: number): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port })
  onTestFinished(() => void server.close())
  await Promise.race([once(server, 'listening'), once(server, 'error')]).catch(() => {})
  return (server.address() as AddressInfo | null)?.port ?? port
}

const answers = (address: string) =>
  requireFrontend(address, 5_000).then(
    () => true,
    () => false,
  )

describe('dev', () => {
  test('prints every address, runs processes, and ends by Ctrl-C with 0 and nothing left', async () => {
    const { dev, cli, host, registryPath, id } = await withDev()
    const running = dev('--host', host)
    await running.line('Ready')
    const address = (await running.line('temporal ')).match(/127\.0\.0\.1:\d+/)?.[0] ?? ''
    const ui = (await running.line('ui ')).match(/http\S+/)?.[0] ?? ''
    expect(await running.line('namespace ')).toBe('namespace   default')
    expect(await running.line('state ')).toBe('state       in memory')
    expect(await running.line('registry ')).toBe(`registry    sqlite:${registryPath}`)
    expect(await running.line('task queue ')).toMatch(/leasehold-[\da-f]+$/)
    expect(await running.line('worker ')).toMatch(/worker:\d+:/)
    expect(await running.line('kinds ')).toBe('kinds       greet, stubborn')
    expect((await fetch(ui)).status).toBe(200)

    const env = { TEMPORAL_ADDRESS: address, LEASEHOLD_HOST: host }
    expect((await cli(['start', 'greet', '--id', id, '--wait'], { env })).code).toBe(0)
    // A terminal sends SIGINT to the whole foreground process group.
    process.kill(-(running.child.pid ?? 0), 'SIGINT')
    const { code, stderr } = await running.ended
    expect(code).toBe(0)
    expect(stderr).toContain('Stopping: first the worker, then the server.')
    const port = Number(address.split(':')[1])
    expect(await findFreePorts([port])).toEqual([port])
  })

  test('without a host runs the server alone and says so', async () => {
    const { dev } = await withDev()
    const running = dev()
    expect(await running.line('worker ')).toContain(
      'none: name a host module by --host FILE or LEASEHOLD_HOST',
    )
    running.child.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
  })

  test('--json prints the addresses as one document', async () => {
    const { dev, host, registryPath } = await withDev()
    const running = dev('--host', host, '--json')
    expect(await readyOf(running)).toEqual({
      temporal: {
        address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        namespace: 'default',
        source: expect.any(String),
        ui: expect.stringMatching(/^http:/),
        pid: expect.any(Number),
      },
      worker: expect.any(String),
      taskQueue: expect.stringMatching(/^leasehold-/),
      registry: `sqlite:${registryPath}`,
      registryId: expect.any(String),
    })
    running.child.kill('SIGINT')
    const { code, stdout } = await running.ended
    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n')).toHaveLength(1)
  })

  test('uses the server that TEMPORAL_ADDRESS names, says so, and leaves it running', async () => {
    const address = inject('temporalAddress')
    const { dev, host } = await withDev({ TEMPORAL_ADDRESS: address })
    const running = dev('--host', host)
    expect(await running.line('temporal ')).toContain(`${address} (TEMPORAL_ADDRESS; not started here`)
    await running.line('kinds')
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
    expect(await answers(address)).toBe(true)
  })

  test('takes other ports where its own are taken', async () => {
    const [port, uiPort] = [await takePort(7233), await takePort(8233)]
    const { dev } = await withDev()
    const running = dev('--json')
    const { temporal } = await readyOf(running)
    expect(temporal.address).not.toBe(`127.0.0.1:${port}`)
    expect(temporal.ui).not.toBe(`http://127.0.0.1:${uiPort}`)
    expect(await answers(temporal.address)).toBe(true)
    running.child.kill('SIGINT')
    await running.ended
  })

  test('makes the namespace that is asked for, and keeps the server’s state in a file', async () => {
    const { dev, host, folder } = await withDev({ TEMPORAL_NAMESPACE: 'mine' })
    const running = dev('--host', host, '--temporal-db', 'temporal.db')
    expect(await running.line('namespace ')).toContain('mine')
    expect(await running.line('state ')).toContain('temporal.db')
    expect(existsSync(join(folder, 'temporal.db'))).toBe(true)
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
  })

  test('refuses a state file for a server that is not its own', async () => {
    const { cli } = await openWorkspace()
    const ended = await cli(['dev', '--temporal-db', 'temporal.db', '--json'])
    expect(ended.code).toBe(2)
    expect(jsonError(ended).code).toBe('usage')
  })

  test('ends with its server: temporal_server_failed, exit 5', async () => {
    const { dev, host } = await withDev()
    const running = dev('--host', host, '--json')
    const { temporal } = await readyOf(running)
    process.kill(temporal.pid, 'SIGKILL')
    const ended = await running.ended
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({
      code: 'temporal_server_failed',
      message: expect.stringContaining('ended by itself, with exit code 137'),
    })
  })
})

describe('Ctrl-C in dev', () => {
  /** No Temporal CLI anywhere: it has to be made, by this PATH and into this cache. */
  async function withoutBinary(variables: Readonly<Record<string, string>>) {
    const { folder, start } = await openWorkspace()
    const env = { TEMPORAL_ADDRESS: '', TEMPORAL_CLI_PATH: '', XDG_CACHE_HOME: folder, ...variables }
    return { cacheDir: join(folder, 'leasehold'), running: start(['dev'], { env }) }
  }

  test('while the CLI is downloaded ends with 130 and leaves nothing half', async () => {
    const { folder } = await openWorkspace()
    // A proxy that takes every connection and never answers.
    const proxy = createServer(() => {}).listen({ host: '127.0.0.1', port: 0 })
    await once(proxy, 'listening')
    onTestFinished(() => void proxy.close())
    const asked = once(proxy, 'connection')
    const { port } = proxy.address() as AddressInfo
    const { running, cacheDir } = await withoutBinary({
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      PATH: folder,
    })
    await running.line('downloading the Temporal CLI')
    await asked
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' })
    expect(await leavings(cacheDir)).toEqual([])
  })

  test('while the CLI is built ends with 130, takes the compiler along, and leaves nothing half', async () => {
    const { folder } = await openWorkspace()
    const go = await fakeGo(folder)
    const { running, cacheDir } = await withoutBinary({ ...OFFLINE, PATH: go.bin })
    await running.line('building the Temporal CLI')
    const [compiler = 0] = await untilBuilds(go, 1)
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' })
    await untilGone(compiler)
    expect(await leavings(cacheDir)).toEqual([])
  })

  test('while the server starts ends with 130 and takes it along', async () => {
    const { folder } = await openWorkspace()
    const pidFile = join(folder, 'pid')
    const silent = await writeExecutable(
      join(folder, 'temporal'),
      `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000)`,
    )
    const { dev } = await withDev({ TEMPORAL_CLI_PATH: silent })
    const running = dev()
    await expect.poll(() => readFile(pidFile, 'utf8').catch(() => ''), { timeout: 20_000 }).not.toBe('')
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' })
    await untilGone(Number(await readFile(pidFile, 'utf8')))
  })

  test('while the worker starts ends with 130 and stops both', async () => {
    const { dev, host } = await withDev()
    const running = dev('--host', host)
    const address = (await running.line('starting the worker')).match(/127\.0\.0\.1:\d+/)?.[0] ?? ''
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' })
    expect(await answers(address)).toBe(false)
  })

  test('a second time while a process does not listen ends it at once, and the server with it', async () => {
    const { dev, start, cli, host, id } = await withDev()
    const running = dev('--host', host, '--json')
    const { temporal } = await readyOf(running)
    const env = { TEMPORAL_ADDRESS: temporal.address, LEASEHOLD_HOST: host }
    await cli(['start', 'stubborn', '--id', id], { env })
    await start(['events', id, '--follow']).line('process.first_started')
    expect((await running.insist('SIGINT')).code).toBe(130)
    await untilGone(temporal.pid)
  })
})
