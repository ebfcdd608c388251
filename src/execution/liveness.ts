import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { LeaseOwner, Liveness } from '../model/lease.ts'
import type { ProcessRegistry } from '../registry/registry.ts'

/** What of a registry matters to who may judge whom. */
export type RegistryReach = Pick<ProcessRegistry, 'isOfOneMachine'>

/**
 * What the operating system knows of this OS process, for others on its host to judge. Without /proc (other systems
 * than Linux) it is opaque: never proven dead, so its work waits for the lease to lapse.
 */
export function localLiveness(registry: RegistryReach, pid = process.pid): Liveness {
  const bootId = readText('/proc/sys/kernel/random/boot_id')
  const stat = readStat(pid)
  const namespace = readLink('/proc/self/ns/pid')
  if (bootId === undefined || stat.type !== 'found' || namespace === undefined) return { kind: 'opaque' }
  const machineId = readText('/etc/machine-id') ?? readText('/var/lib/dbus/machine-id')
  const { isOfOneMachine } = registry
  const hostId = hostIdOf({ machineId, hostname: hostname(), namespace, bootId, isOfOneMachine })
  return { kind: 'local_process', hostId, bootId, pid, processStart: stat.start }
}

/** The kernel's own number of the PID namespace that no container has made: the same on every machine. */
const FIRST_NAMESPACE = 'pid:[4026531836]'

/**
 * Machine id, host name, PID namespace and boot: two containers of one node never judge each other, and nobody judges
 * across a boot. Nothing on a disk tells a machine from its clone, which may have its machine id, its name and whatever
 * else was ever written there, and live: what looks like an earlier boot may be the other one's. Only where no second
 * machine can have the registry open is another boot an end of all before it, and no part of the host; and not in a
 * container, nor without a machine id, where even that is not sure.
 */
export function hostIdOf(host: {
  readonly machineId: string | undefined
  readonly hostname: string
  readonly namespace: string
  readonly bootId: string
  readonly isOfOneMachine: boolean
}): string {
  const { machineId, hostname, namespace, bootId, isOfOneMachine } = host
  const isSame = isOfOneMachine && machineId !== undefined && namespace === FIRST_NAMESPACE
  const parts = [machineId ?? 'no-machine-id', hostname, namespace]
  return (isSame ? parts : [...parts, bootId]).join('/')
}

/**
 * Is this owner provably dead, as seen from an owner on `own`'s host? Only what the operating system states counts: no
 * such pid, another start time, a zombie, or another boot, where the host's id outlives one. "Cannot tell" is not dead.
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

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
