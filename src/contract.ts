/**
 * What client, workflow and worker agree on. Imported by the workflow's sandbox: types and constants only, and every
 * change of them is a change of kept histories.
 */

/** The workflow type of processes. */
export const WORKFLOW_TYPE = 'process'

/** The workflow's first argument. Never the registration: no value of a process enters a history. */
export interface ProcessWorkflowInput {
  readonly registryId: string
  readonly processId: string
  /** The lease's time to live in milliseconds: a worker that is silent for so long has lost its attempt. */
  readonly heartbeatTimeoutMs: number
  /** It may be run again whatever became of the attempt before, so nobody asks about that first. Default false. */
  readonly isRerunnable?: boolean
}

/** What one run hands to the next when its history has grown long. */
export interface ProcessWorkflowCarry {
  readonly nudges: number
}

export interface ProcessWorkflowResult {
  /** The terminal status, or why there is none to report: the id is unknown here, or somebody else owns the work. */
  readonly status: string
}

export const NUDGE_SIGNAL = 'nudge'

/** `look`: the row changed, begin again. `cancel`: as well, and pass a cancel on to the running attempt. */
export type Nudge = 'look' | 'cancel'

/** What one activity came to, without any value of the process. */
export type RunProcessResult =
  | { readonly type: 'done'; readonly status: string }
  | { readonly type: 'parked'; readonly untilMs?: number }
  | { readonly type: 'silent' }
  | { readonly type: 'external' }
  | { readonly type: 'unknown' }

export interface ProcessActivities {
  runProcess(input: ProcessWorkflowInput): Promise<RunProcessResult>
  recordCancel(input: ProcessWorkflowInput): Promise<void>
}

/** The workflow type of what Temporal's schedules start: one time of a trigger's schedule. */
export const OCCURRENCE_WORKFLOW_TYPE = 'occurrence'

/** What the schedule was made from. Nothing of what the trigger starts enters a history. */
export interface OccurrenceInput {
  readonly registryId: string
  readonly triggerId: string
  readonly incarnation: string
  readonly revision: number
}

/**
 * `not_due`: that time has occurred, or is none of the trigger's. `stale`: the trigger is another one by now, and the schedule
 * is made over. `processId`: what is started; `reason`: why that is tried again later.
 */
export type OccurrenceResult =
  | { readonly status: 'occurred'; readonly processId: string; readonly reason?: string }
  | { readonly status: 'not_due' | 'stale' }

export interface OccurrenceActivities {
  occur(input: OccurrenceInput, scheduledAtMs: number): Promise<OccurrenceResult>
}

/** The ids of Temporal's schedules begin so, and end with the trigger's. */
export const schedulePrefix = (registryId: string): string => `leasehold-trigger:${registryId}:`

/** Memo field that names the trigger. */
export const TRIGGER_MEMO = 'leaseholdTriggerId'

/** Memo field that names the registry: another deployment's workflow of the same id is recognised by it. */
export const REGISTRY_MEMO = 'leaseholdRegistryId'

/** Backend name in a process's external reference. */
export const TEMPORAL_BACKEND = 'temporal'

/** One queue for each registry, so that a worker never gets another registry's processes by accident. */
export const defaultTaskQueue = (registryId: string): string => `leasehold-${registryId}`

/** A run hands over to a new one beyond this many events, long before the server's own limits. */
export const CONTINUE_AS_NEW_EVENTS = 1_500
