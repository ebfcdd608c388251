import { isLeaseholdError } from '../model/errors.ts'
import type { RegistrationRequest } from '../model/registration.ts'
import type { Session } from '../model/session.ts'
import { scopeOf } from '../model/session-scope.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { Host } from './host.ts'
import { prepareStart } from './start-request.ts'
import type { Wake, WakeReceipt } from './wake-sink.ts'

/**
 * Where a wake goes unless the host says otherwise: a turn of the target session whose input is the wake's text and whose
 * id is the wake's. Turn and place in the session's line are one write; the same wake again finds the turn, also when that
 * has ended and was pruned.
 */
export async function deliverToInbox(
  host: Host,
  registry: ProcessRegistry,
  wake: Wake,
): Promise<WakeReceipt> {
  const found = await registry.findSession(wake.targetSessionId)
  if (found.type === 'deleted') return 'target_gone'
  if (found.type === 'absent') return 'not_now'
  if (found.session.closedAtMs !== undefined) return 'target_closed'
  const turn = await turnFor(host, found.session, wake)
  try {
    await registry.register(turn, {
      turnOf: wake.targetSessionId,
      grant: { scope: scopeOf(wake.targetSessionId, wake.targetScopeId) },
      isDueAtOnce: true,
    })
  } catch (error) {
    // Since it was looked for: the next try finds it so.
    if (isLeaseholdError(error, 'session_unknown') || isLeaseholdError(error, 'session_closed'))
      return 'not_now'
    if (!isKnown(error)) throw error
  }
  return 'enqueued'
}

/** The wake's id has been registered before; the host's policy may have changed since, and the turn may be pruned. */
const isKnown = (error: unknown): boolean =>
  isLeaseholdError(error, 'process_registration_conflict') ||
  isLeaseholdError(error, 'process_no_longer_retained')

async function turnFor(host: Host, session: Session, wake: Wake): Promise<RegistrationRequest> {
  const { sessionId, policy, pluginOptions } = session
  const { processId, sequence } = wake
  const { registration } = await prepareStart(host, {
    kind: 'session_turn',
    id: wake.wakeId,
    disposition: 'rerunnable',
    session: scopeOf(sessionId, wake.targetScopeId),
    label: `wake by ${processId}`,
    input: { prompt: wake.draft.text, session: { sessionId, policy, pluginOptions } },
  })
  const causedBy = { type: 'process_event', processId, sequence } as const
  return { ...registration, provenance: { ...registration.provenance, causedBy } }
}
