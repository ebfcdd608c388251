import type { ProcessEvent } from '../../../src/model/event.ts'
import type { JournalEntry } from '../../../src/model/journal.ts'
import type { Json } from '../../../src/model/json.ts'
import type { ProcessRecord } from '../../../src/model/process.ts'
import type { Call } from './call.ts'

/** All that several OS processes asked of one registry, and what is found in it afterwards. */
export interface History {
  readonly calls: readonly Call[]
  /** In the order of the whole change feed, read from its beginning when nobody wrote any more. */
  readonly stored: readonly StoredHistory[]
  readonly followed: Followed
}

export interface StoredHistory {
  readonly record: ProcessRecord
  readonly events: readonly ProcessEvent[]
  readonly journal: readonly JournalEntry[]
}

/** What a follower of the change feed has heard and read meanwhile. */
export interface Followed {
  /** Ids in the order in which the feed told them. */
  readonly told: readonly string[]
  /** What it had read of each process when it had nothing left to read. */
  readonly events: Readonly<Record<string, readonly ProcessEvent[]>>
}

/** What a call leaves in whatever it writes. */
export const markWith = (callId: string): { readonly by: string } => ({ by: callId })

/** The call that wrote this, where it could leave its mark. */
export function writerOf({ eventType, payload }: ProcessEvent): string | undefined {
  if (eventType === 'note') return member(payload, 'by')
  if (eventType === 'process.cancel_requested') return member(payload, 'reason')
  if (eventType === 'process.waiting') return member(payload, 'key')
  const output = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'await_output') : null
  return member(Reflect.get(Object(output), 'value'), 'by')
}

export const writerOfEntry = ({ value }: JournalEntry): string | undefined => member(value, 'by')

function member(value: Json | undefined, name: string): string | undefined {
  const found = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return typeof found === 'string' ? found : undefined
}
