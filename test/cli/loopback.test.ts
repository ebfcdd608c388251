import { readdir, readFile, readlink } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { openWorkspace } from './fixtures.ts'

/** In /proc/net/tcp: waits for connections. */
const LISTENING = '0A'

/** The addresses, as the kernel writes them, at which this process waits for connections. Linux only. */
async function listeners(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`
  const links = await Promise.all(
    (await readdir(folder)).map(name => readlink(`${folder}/${name}`).catch(() => '')),
  )
  const sockets = new Set(links.flatMap(link => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map(name => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  )
  return tables
    .flatMap(table => table.trim().split('\n').slice(1))
    .flatMap(line => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
      return state === LISTENING && sockets.has(inode) ? [local.slice(0, local.indexOf(':'))] : []
    })
}

/** 127.0.0.1, as such or within IPv6, and ::1; by the machine's byte order. */
const LOOPBACK = new Set(['0100007F', '0000000000000000FFFF00000100007F', '00000000000000000000000001000000'])

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
