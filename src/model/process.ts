import type { EventType } from './event.ts'
import type { Flow, Turn } from './flow.ts'
import type { ProcessId } from './ids.ts'
import type { Json } from './json.ts'
import type { LeaseOwner } from './lease.ts'
import type { Outcome, ProcessStatus } from './outcome.ts'
import type { CausalRef, Provenance } from './provenance.ts'
import type { SessionScope } from './session-scope.ts'
import type { WaitState } from './wait.ts'

/**
 * What may happen after a crash. `rerunnable`: any worker may run it again. `owner_bound`: once started, nobody may
 * ever run it again. `externally_owned`: never run here. There is no default anywhere.
 */
export type Disposition = 'rerunnable' | 'owner_bound' | 'externally_owned'

export const DISPOSITIONS = [
  'rerunnable',
  'owner_bound',
  'externally_owned',
] as const satisfies readonly Disposition[]

/** Immutable and shared; two inputs are equal if their JSON is. */
export type ProcessInput =
  | { readonly type: 'tool_call'; readonly call: PreparedToolCall }
  | { readonly type: 'engine'; readonly kind: string; readonly payload: Json }
  | {
      readonly type: 'session_turn'
      readonly createRequest: SessionCreateRequest
      readonly turnInput: Json
      readonly outputContract: Json
    }
  | { readonly type: 'external'; readonly metadata: Json }

export interface PreparedToolCall {
  readonly callId: string
  readonly toolId?: string
  readonly toolName: string
  readonly args: Json
  readonly replay?: Json
  /** What the tool's provider prepared before the registration: once, and not again for each attempt. */
  readonly prepared?: Json
}

/** The child session whose turn the process is. */
export interface SessionCreateRequest {
  /** Absent: a new session of the process's own. */
  readonly sessionId?: string
  readonly policy?: { readonly [field: string]: Json }
  readonly pluginOptions?: { readonly [plugin: string]: Json }
  readonly subagent?: { readonly capability?: string }
  /** What the turn's use of models is accounted to. */
  readonly usageSource?: string
  readonly causedBy?: CausalRef
}

/** How people see a process in lists. */
export interface ProcessIdentity {
  readonly kind: string
  readonly label?: string
  /** Which definition of its kind it runs, for finding all live processes of one. */
  readonly definition?: Json
}

/** What a producer asks for. Immutable: the same id with another registration is a conflict. */
export interface ProcessRegistration {
  readonly id: ProcessId
  readonly input: ProcessInput
  readonly disposition: Disposition
  readonly identity: ProcessIdentity
  readonly eventTypes: readonly EventType[]
  readonly provenance: Provenance
  /** The captured environment, by content address. Required for tool calls and engines, forbidden for others. */
  readonly envRef?: string
  /** The session that hears of it. Gone from the row, not from the registration, when that session is deleted. */
  readonly wakeTarget?: SessionScope
  /** Attempts that may end without outcome, park or orderly shutdown before the process is given up. Default: no limit. */
  readonly maxAttempts?: number
  /** Default: it begins as soon as a worker has room. */
  readonly flow?: Flow
}

/** What is stored: the registration and what has happened since. */
export interface ProcessRecord extends ProcessRegistration {
  readonly registrationHash: string
  /** One life of the id: part of each operation id, so that an id used again after a prune gives new ones. */
  readonly incarnation: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly status: ProcessStatus
  readonly outcome?: Outcome
  readonly externalRef?: ExternalRef
  readonly firstStarted?: FirstStarted
  readonly cancelRequest?: CancelRequest
  readonly abandonRequest?: AbandonRequest
  readonly waits: readonly WaitState[]
  /** Set while it was started `owner_bound` and its holder is gone without evidence of what happened. */
  readonly silentSinceMs?: number
  /** It is queued: nothing runs it before its turn. */
  readonly turn?: Turn
  /** Attempts begun so far. */
  readonly attempts: number
  readonly lastSequence: number
  readonly changeSeq: number
}

/** The process in the execution backend that runs it, or at the external owner. Written once. */
export interface ExternalRef {
  readonly backend: string
  readonly id: string
  readonly metadata?: Json
}

/** Written immediately before the body of the first attempt, under its lease, and never changed. */
export interface FirstStarted {
  /** The worker's identity, not the attempt's. */
  readonly owner: LeaseOwner
  /** The incarnation of the attempt that started it: an owner-bound body runs for this attempt only. */
  readonly attempt: string
  readonly fence: number
  readonly startedAtMs: number
}

export interface CancelRequest {
  readonly requestedAtMs: number
  readonly reason?: string
  /** Since then its worker does not wait for the code any longer than a grace. */
  readonly forcedAtMs?: number
}

export interface AbandonRequest {
  readonly requestedBy: string
  readonly requestedAtMs: number
  readonly reason?: string
}

/** A record and what only the registry itself needs to know of it. */
export interface StoredProcess {
  readonly record: ProcessRecord
  /** When the sweep must look at the row; absent: never. Every write keeps it true in its own transaction. */
  readonly dueAtMs?: number
  /** Submissions since the last attempt began: they space out the next ones. */
  readonly submissions: number
  /** Transient failures in a row: they space out the next attempt. */
  readonly failures: number
  /** Attempts that count against `maxAttempts`. */
  readonly attemptsSpent: number
  /** An attempt began and has not ended by outcome, park or release: the next one counts it as spent. */
  readonly isAttemptOpen: boolean
  /** The backend's run was told to wait (parked, silent) and has not begun again: a terminal write must tell it. */
  readonly isRunWaiting: boolean
  /** The trace that it belongs to, where its start was traced: W3C's, of ids and a flag alone. */
  readonly traceparent?: string
  /** The journal's epoch. */
  readonly epoch: number
}
