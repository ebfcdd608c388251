import type { ApprovalCall } from '../model/approval.ts'
import { isApproval } from '../model/approval.ts'
import { LeaseholdError } from '../model/errors.ts'
import type { ProcessRegistry } from './registry.ts'

/** Most processes wait for one person at a time; nobody looks for one approval among more than these. */
const LOOKED_AT = 1_000

/**
 * The approval that the process waits for, by the id of its call or by its key; the only one there is where neither is
 * given. Throws `tool_call_unknown`, and says which there are.
 */
export async function findApproval(
  registry: Pick<ProcessRegistry, 'openApprovals' | 'pendingCall'>,
  processId: string,
  call?: string,
): Promise<ApprovalCall> {
  const open = await registry.openApprovals({ processId, limit: LOOKED_AT })
  const [only, ...others] =
    call === undefined ? open : open.filter(({ approval }) => approval.callId === call)
  if (only !== undefined && others.length === 0) return only
  // One that was answered already is known by its key alone, for a no that takes a yes back.
  const byKey = call === undefined ? undefined : await registry.pendingCall(call)
  if (isApproval(byKey) && byKey.processId === processId) return byKey
  const known = open.map(({ approval }) => approval.callId).join(', ') || 'none'
  const asked = call === undefined ? 'no call was named' : `the call "${call}" is not one of them`
  throw new LeaseholdError(
    'tool_call_unknown',
    `Process "${processId}" waits for approval of these calls: ${known}; ${asked}. Name one by its id, or by its key.`,
    { processId, details: { call } },
  )
}
