import { object, optional, Place, text } from './decode.ts'
import { LeaseholdError } from './errors.ts'
import type { ProcessId } from './ids.ts'
import { isTerminal } from './outcome.ts'
import type { ProcessRecord } from './process.ts'
import { requireSessionScope, type SessionScope, scopeId } from './session-scope.ts'

/** How a session sees the handle that it was given. */
export interface HandleDescriptor {
  readonly kind?: string
  readonly label?: string
}

/** A scope's permission to address one process. There is at most one for each pair of them. */
export interface HandleGrant {
  readonly sessionId: string
  readonly scopeId: string
  readonly processId: ProcessId
  readonly descriptor: HandleDescriptor
}

export interface GrantEntry {
  readonly grant: HandleGrant
  readonly record: ProcessRecord
}

/** What the deletion of a session left behind. Nobody was cancelled or removed. */
export interface SessionDeleteReport {
  readonly sessionId: string
  readonly revokedHandleCount: number
  /** Always 0: what the session has acknowledged stays so, else it would come up again. */
  readonly deletedWakeCount: number
  /** Processes that have not ended and are granted to nobody any more. */
  readonly orphanedProcessIds: readonly ProcessId[]
  /** Processes that have not ended and are granted to somebody else still. */
  readonly preservedProcessIds: readonly ProcessId[]
}

const handleDescriptor = object<HandleDescriptor>({ kind: optional(text), label: optional(text) })

export function newGrant(
  scope: SessionScope,
  processId: ProcessId,
  descriptor: HandleDescriptor = {},
): HandleGrant {
  const known = requireSessionScope(scope)
  return {
    sessionId: known.sessionId,
    scopeId: scopeId(known),
    processId,
    descriptor: handleDescriptor(descriptor, new Place('handle descriptor', 'usage')),
  }
}

/** The same handle in another scope's hands. */
export const transferred = (grant: HandleGrant, to: SessionScope): HandleGrant =>
  newGrant(to, grant.processId, grant.descriptor)

export const notGranted = (processId: string, { sessionId }: SessionScope): LeaseholdError =>
  new LeaseholdError(
    'process_handle_not_granted',
    `Process "${processId}" is not granted to session "${sessionId}", so nothing was transferred. Grant it first, or leave it out.`,
    { processId, details: { sessionId } },
  )

/** What the deletion of a session means for one process that it was granted, or that wakes it. */
export interface SessionDeletion {
  readonly revoked: readonly HandleGrant[]
  readonly isWakeTargetGone: boolean
  /** Absent where the process has ended, or was not granted to the session. */
  readonly fate?: 'orphaned' | 'preserved'
}

/** `grants`: all of the process. Those of every frame of the session go with it. */
export function decideSessionDeletion(
  record: ProcessRecord,
  grants: readonly HandleGrant[],
  sessionId: string,
): SessionDeletion {
  const revoked = grants.filter(grant => grant.sessionId === sessionId)
  const isWakeTargetGone = record.wakeTarget?.sessionId === sessionId
  if (revoked.length === 0 || isTerminal(record.status)) return { revoked, isWakeTargetGone }
  const fate = revoked.length === grants.length ? 'orphaned' : 'preserved'
  return { revoked, isWakeTargetGone, fate }
}

/** What a session was not granted does not exist for it: it learns nothing but that. */
export const notVisible = (scope: SessionScope, processId: string): LeaseholdError =>
  new LeaseholdError(
    'process_not_visible',
    `Process "${processId}" is not visible to ${scopeId(scope)}. Grant it to that scope, or act as the host.`,
    { processId, details: { scope: scopeId(scope) } },
  )
