import type { ProcessId } from '../../../model/ids.ts'
import { awaitedKey, awaitedProcess, type WaitState } from '../../../model/wait.ts'
import { decode, encode } from '../json-text.ts'
import type { WaitRow } from '../process-tables.ts'
import { present } from './present.ts'

export const toWaitRow = (processId: ProcessId, wait: WaitState, position: number): WaitRow => ({
  process_id: processId,
  key: wait.key,
  position,
  since: wait.sinceMs,
  until: wait.untilMs ?? null,
  on: encode(wait.on),
  awaited: awaitedKey(wait) ?? null,
  awaited_process: awaitedProcess(wait) ?? null,
  satisfied_at: wait.satisfiedAtMs ?? null,
})

export const fromWaitRow = (row: WaitRow): WaitState => ({
  key: row.key,
  sinceMs: row.since,
  ...present({ untilMs: row.until }),
  on: decode(row.on),
  ...present({ satisfiedAtMs: row.satisfied_at }),
})
