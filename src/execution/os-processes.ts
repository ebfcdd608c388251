import { readdirSync, readFileSync } from 'node:fs'

/** An OS process of this machine. */
export interface Running {
  readonly pid: number
  /** In the clock ticks of proc(5): tells it from another one that got its pid since. Absent where there is no /proc. */
  readonly startedAt?: number
}

/** Does it still run? */
export const isRunning = ({ pid, startedAt }: Running): boolean => {
  const stat = statOf(pid)
  return startedAt === undefined || (stat?.startedAt === startedAt && stat.state !== 'Z')
}

/**
 * The roots, their descendants, and what is in a process group that one of them leads, the last found first. By /proc; where
 * there is no such thing, the roots alone. A shell's child would otherwise outlive the shell.
 */
export function belongingTo(roots: readonly number[]): readonly Running[] {
  if (roots.length === 0) return []
  const all = allStats()
  const found = new Set(roots)
  // A child may stand before its parent in the list: look until nothing new turns up.
  for (let before = 0; before < found.size; ) {
    before = found.size
    for (const [pid, { parent, group }] of all) {
      // This worker's own group is led by nobody in it.
      if (found.has(parent) || found.has(group)) found.add(pid)
    }
  }
  return [...found].toReversed().map(pid => ({ pid, ...startOf(all.get(pid)) }))
}

const startOf = (stat: Stat | undefined) => (stat === undefined ? {} : { startedAt: stat.startedAt })

interface Stat {
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly startedAt: number
}

function allStats(): Map<number, Stat> {
  const stats = new Map<number, Stat>()
  for (const name of namesIn('/proc')) {
    const pid = Number(name)
    const stat = Number.isInteger(pid) ? statOf(pid) : undefined
    if (stat !== undefined) stats.set(pid, stat)
  }
  return stats
}

/** Fields 3, 4, 5 and 22 of proc(5)'s stat; the name before them may hold anything. */
function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state = '', parent, group] = fields
    return { state, parent: Number(parent), group: Number(group), startedAt: Number(fields[19]) }
  } catch {
    return undefined
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
