import type { GrantEntry, HandleDescriptor, HandleGrant, SessionDeleteReport } from '../../model/grant.ts'
import type { SessionScope } from '../../model/session-scope.ts'

/** Who may address a process. Grants are no part of its record: they append no event and change no row. */
export interface GrantOperations {
  /** Grants, or replaces the descriptor of what is granted already. */
  grant(scope: SessionScope, id: string, descriptor?: HandleDescriptor): Promise<HandleGrant>
  /** What is not granted, or not registered, stays so. */
  revoke(scope: SessionScope, id: string): Promise<void>
  /** All of them or none, with their descriptors: one that `from` was not granted is `process_handle_not_granted`. */
  transferGrants(
    ids: readonly string[],
    scopes: { readonly from: SessionScope; readonly to: SessionScope },
  ): Promise<HandleGrant[]>
  /** Exactly the scope's own, of ended processes too, in order of process ids. A session's frames have their own. */
  listGrants(scope: SessionScope): Promise<GrantEntry[]>
  listLiveGrants(scope: SessionScope): Promise<GrantEntry[]>
  hasGrant(scope: SessionScope, id: string): Promise<boolean>
  /** In order of session and scope. */
  grantsForProcess(id: string): Promise<HandleGrant[]>
  /**
   * Takes away all grants of the session and of its frames, and clears the wake target of the rows that would wake it.
   * No process is cancelled or removed.
   */
  deleteSessionState(sessionId: string): Promise<SessionDeleteReport>
}
