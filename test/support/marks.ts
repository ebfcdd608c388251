import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What code in another OS process says it has done; written before the next thing happens, so a kill loses nothing. */
export interface Mark {
  readonly what: string
  readonly pid: number
  readonly atMs: number
  readonly detail?: string
}

export function mark(folder: string, what: string, detail?: string): void {
  const line: Mark = {
    what,
    pid: process.pid,
    atMs: Date.now(),
    ...(detail === undefined ? {} : { detail }),
  }
  appendFileSync(join(folder, 'marks'), `${JSON.stringify(line)}\n`)
}

export function readMarks(folder: string, what?: string): Mark[] {
  const path = join(folder, 'marks')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  const marks = lines.map((line): Mark => JSON.parse(line))
  return marks.filter(found => what === undefined || found.what === what)
}

/** Opens the door that code in other OS processes waits at. */
export const openDoor = (folder: string, door = 'door'): void => writeFileSync(join(folder, door), '')

export async function passDoor(folder: string, signal?: AbortSignal, door = 'door'): Promise<void> {
  while (!existsSync(join(folder, door))) await sleep(10, undefined, signal === undefined ? {} : { signal })
}
