import type { Json } from './json.ts'
import type { LeaseOwner } from './lease.ts'

/** The four ways in which a process ends. Exactly one of them is ever written, under a lease or an authority. */
export type Outcome =
  | { readonly status: 'completed'; readonly value: Json }
  | ({ readonly status: 'failed' } & Failure)
  | { readonly status: 'cancelled'; readonly message: string; readonly raw?: Json }
  | { readonly status: 'abandoned'; readonly evidence: AbandonEvidence }

export interface Failure {
  readonly class: FailureClass
  readonly code: string
  readonly message: string
  readonly raw?: Json
}

export const FAILURE_CLASSES = [
  'invalid_request',
  'unavailable',
  'permission_denied',
  'timeout',
  'execution',
  'external',
  'resource_limit',
  'internal',
] as const

export type FailureClass = (typeof FAILURE_CLASSES)[number]

/** Who wrote `abandoned`, and about whom. It asserts only that the owner stopped without recording an outcome. */
export interface AbandonEvidence {
  readonly writer: AbandonWriter
  /** The owner that stopped; absent for a process that somebody else owns. */
  readonly owner?: LeaseOwner
  /** Whose word it is that the owner is dead, where the operating system could not be asked. */
  readonly statedBy?: string
  readonly epochMs: number
}

export const ABANDON_WRITERS = ['owner_drain', 'sweep', 'reconciled_request', 'engine_gave_up'] as const

export type AbandonWriter = (typeof ABANDON_WRITERS)[number]

export type TerminalStatus = Outcome['status']
export type ProcessStatus = 'running' | TerminalStatus

export const TERMINAL_STATUSES = [
  'completed',
  'failed',
  'cancelled',
  'abandoned',
] as const satisfies readonly TerminalStatus[]

export const isTerminal = (status: ProcessStatus): status is TerminalStatus => status !== 'running'
