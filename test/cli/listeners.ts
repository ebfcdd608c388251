import { readdir, readFile, readlink } from 'node:fs/promises'

/** In /proc/net/tcp: waits for connections. */
const LISTENING = '0A'

/** The addresses, as the kernel writes them, at which this process waits for connections. Linux only. */
export async function listeners(pid: number): Promise<string[]> {
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
export const LOOPBACK: ReadonlySet<string> = new Set([
  '0100007F',
  '0000000000000000FFFF00000100007F',
  '00000000000000000000000001000000',
])
