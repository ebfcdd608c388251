import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'

/** What else the machine was doing while a bench ran. */
export interface MachineUse {
  readonly load: number
  /** Of all CPU time, what the hypervisor gave to somebody else. Absent where there is no /proc. */
  readonly stealPercent?: number
}

/** Begins to measure; the function returned says what has happened since. */
export function watchMachine(): () => MachineUse {
  const before = readCpuTimes()
  return () => {
    const [load = 0] = loadavg()
    const after = readCpuTimes()
    if (before === undefined || after === undefined) return { load }
    const total = after.total - before.total
    return { load, stealPercent: total === 0 ? 0 : (100 * (after.steal - before.steal)) / total }
  }
}

/** The first line of proc(5)'s stat: user, nice, system, idle, iowait, irq, softirq, steal. */
function readCpuTimes(): { total: number; steal: number } | undefined {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
    const times = line.trim().split(/\s+/).slice(1, 9).map(Number)
    return { total: times.reduce((sum, time) => sum + time, 0), steal: times[7] ?? 0 }
  } catch {
    return undefined
  }
}
