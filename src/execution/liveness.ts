import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { LeaseOwner, Liveness } from '../model/lease.ts'

/**
 * What the operating system knows of this OS process, for others on its host to judge. Without /proc (other systems
 * than Linux) it is opaque: never proven dead, so its work waits for the lease to lapse.
 */
export function localLiveness(pid = process.pid): Liveness {
  const bootId = readText('/proc/sys/kernel/random/boot_id')
  const stat = readStat(pid)
  const hostId = localHostId()
  if (bootId === undefined || stat.type !== 'found' || hostId === undefined) return { kind: 'opaque' }
  return { kind: 'local_process', hostId, bootId, pid, processStart: stat.start }
}

/**
 * Machine id, host name and PID namespace: two containers of one node never judge each other, nor do two machines that
 * were cloned from one image.
 */
function localHostId(): string | undefined {
  const machine = readText('/etc/machine-id') ?? readText('/var/lib/dbus/machine-id') ?? 'no-machine-id'
  try {
    return [machine, hostname(), readlinkSync('/proc/self/ns/pid')].join('/')
  } catch {
    return undefined
  }
}

/**
 * Is this owner provably dead, as seen from an owner on `own`'s host? Only what the operating system states counts: no
 * such pid, another start time, a zombie, or another boot. "Cannot tell" is not dead.
 */
export function isProvablyDead(owner: LeaseOwner, own: LeaseOwner): boolean {
  const [theirs, ours] = [owner.liveness, own.liveness]
  if (theirs.kind === 'opaque' || ours.kind === 'opaque' || theirs.hostId !== ours.hostId) return false
  if (theirs.bootId !== ours.bootId) return true
  const stat = readStat(theirs.pid)
  if (stat.type === 'missing') return true
  return (
    stat.type === 'found' && (stat.start !== theirs.processStart || stat.state === 'Z' || stat.state === 'X')
  )
}

type Stat = { type: 'found'; state: string; start: string } | { type: 'missing' } | { type: 'unreadable' }

/** Fields 3 (state) and 22 (start time, in ticks since boot) of proc(5)'s stat; the name before them may hold anything. */
function readStat(pid: number): Stat {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state, start] = [fields[0], fields[19]]
    return state === undefined || start === undefined
      ? { type: 'unreadable' }
      : { type: 'found', state, start }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    // ESRCH: the process ended between open and read.
    return code === 'ENOENT' || code === 'ESRCH' ? { type: 'missing' } : { type: 'unreadable' }
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
