/** What one OS process asked of a registry and what it was told: the lines of its history, and what they are read into. */
import { readFile } from 'node:fs/promises'
import type { ProcessLease } from '../../../src/model/lease.ts'
import type { Outcome } from '../../../src/model/outcome.ts'

/** `take`: may give a lease, a new one or the same one extended. `give up`: may end the lease that it presents. */
export const OPERATIONS = {
  register: 'write',
  claim: 'take',
  reclaim: 'take',
  beginAttempt: 'take',
  reacquire: 'take',
  renew: 'take',
  enterBody: 'write',
  append: 'write',
  emit: 'write',
  saveJournalEntry: 'write',
  requestCancel: 'write',
  complete: 'write',
  park: 'give up',
  endAttempt: 'give up',
  release: 'give up',
  completeWithLease: 'give up',
} as const

export type OperationName = keyof typeof OPERATIONS

export interface Call {
  /** Unique. What the call writes carries it as its mark. */
  readonly id: string
  readonly process: string
  readonly operation: OperationName
  /** The lease that the call presents. */
  readonly lease?: ProcessLease
  /** Nanoseconds on the machine's monotonic clock, which is the same for all its OS processes. */
  readonly invokedAt: number
  /** Absent: the caller was killed before it was told. */
  readonly answer?: Answer & { readonly returnedAt: number }
}

export type Answer =
  | {
      readonly type: 'done'
      /** Something with the mark of the call must be found. */
      readonly isStored: boolean
      readonly lease?: ProcessLease
      readonly sequence?: number
      readonly outcome?: Outcome
    }
  /** Nothing was written. */
  | { readonly type: 'refused'; readonly code: string }
  /** A transient error: it may have been written or not. */
  | { readonly type: 'unsure'; readonly code: string }

export type HistoryLine =
  | { readonly invoked: Omit<Call, 'answer'> }
  | { readonly returned: string; readonly answer: NonNullable<Call['answer']> }

/** The calls of one caller, in the order in which it made them. A line that a kill cut off is none. */
export async function readCalls(path: string): Promise<Call[]> {
  const calls = new Map<string, Call>()
  for (const text of (await readFile(path, 'utf8')).split('\n').slice(0, -1)) {
    const line: HistoryLine = JSON.parse(text)
    if ('invoked' in line) calls.set(line.invoked.id, line.invoked)
    else {
      const call = calls.get(line.returned)
      if (call === undefined) throw new Error(`${line.returned} returned and was never invoked.`)
      calls.set(call.id, { ...call, answer: line.answer })
    }
  }
  return [...calls.values()]
}
