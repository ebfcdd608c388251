import { closeSync, openSync } from 'node:fs'
import type { Host } from '../runtime/host.ts'
import { type FaultPlace, type FaultPoint, withFaultPoints } from './fault-points.ts'
import { isStep } from './is-step.ts'

/** Where a worker is to die, once. */
export interface CrashAt {
  readonly point: FaultPoint
  /** Of `step.…` points: the step's name, for instance `model` or `pay`, or its whole address. Default: any step. */
  readonly step?: string
  /** The n-th time that it is reached in the OS process. Default 1. */
  readonly nth?: number
}

/** Kills this OS process with SIGKILL at that place. The file at `onceBy` is made first; where it is there, nothing happens. */
export function crashAt<H extends Pick<Host, 'registry'>>(
  host: H,
  { nth = 1, ...at }: CrashAt,
  onceBy: string,
): H {
  let seen = 0
  return withFaultPoints(host, place => {
    if (!isAt(place, at) || ++seen !== nth) return
    if (isFirst(onceBy)) process.kill(process.pid, 'SIGKILL')
  })
}

const isAt = ({ point, step = '' }: FaultPlace, at: Omit<CrashAt, 'nth'>): boolean =>
  point === at.point && (at.step === undefined || isStep(step, at.step))

function isFirst(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx'))
    return true
  } catch {
    return false
  }
}
