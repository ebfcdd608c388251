import { expect } from 'vitest'
import { requireProcessId } from '../../model/ids.ts'
import { acquire } from '../../model/lease.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import { ANA, BEN, COMPLETED, TTL, timer } from './fixtures.ts'
import { type Case, refused } from './harness.ts'

export const GHOST = acquire(undefined, { processId: requireProcessId('ghost'), owner: BEN, ttlMs: TTL }, 0)
const REF = { backend: 'temporal', id: 'ghost' }

/** Whatever is addressed to a process that is not there. */
export const UNKNOWN: Readonly<Record<string, (registry: ProcessRegistry) => Promise<unknown>>> = {
  'setting its external ref (§6 #15)': registry => registry.setExternalRef('ghost', REF),
  'recording its first start (§6 #23)': registry =>
    registry.recordFirstStarted('ghost', { owner: ANA, startedAtMs: 1 }),
  'setting a wait on it (§6 #62)': registry => registry.setWait('ghost', timer('nap', 1)),
  'clearing its waits': registry => registry.clearWait('ghost'),
  'granting it (§6 #113)': registry => registry.grant({ sessionId: 's' }, 'ghost'),
  'listing who it is granted to (§6 #113)': registry => registry.grantsForProcess('ghost'),
  'requesting its abandonment (§6 #23)': registry => registry.requestAbandon('ghost', { requestedBy: 'ana' }),
  'cancelling it': registry => registry.requestCancel('ghost'),
  'appending to it': registry => registry.append('ghost', { eventType: 'note', payload: null }),
  'reading its events': registry => registry.eventsAfter('ghost', 0),
  'looking for an event of it': registry => registry.findEvent('ghost', 'note', 0),
  'reading its last events': registry => registry.recentEvents('ghost'),
  'counting its events': registry => registry.countEventsThrough('ghost', 'note', 9),
  'reading its wakes': registry => registry.wakeEventsAfter('ghost', 0),
  'acknowledging its wake': registry => registry.ackWake('ghost', 1),
  'reading its way through the outbox': registry => registry.wakesOf('ghost'),
  'sending its wakes elsewhere': registry => registry.retargetWakes('ghost', 's', { sessionId: 't' }),
  'signalling it': registry => registry.signal('ghost', 'go', null),
  'reading its effects': registry => registry.effects('ghost'),
  'reading an entry of its journal': registry => registry.journalEntry('ghost', 'charge#1'),
  'reading its budget': registry => registry.budget('ghost'),
  'listing its approvals': registry => registry.openApprovals({ processId: 'ghost' }),
  'resolving a step of it': registry => registry.resolveStep('ghost', 'charge#1', 'not_done', { by: 'ana' }),
  'reading a channel of it': registry => registry.readStream('ghost', 'text', 0),
  'reading what its attempts have left to say': registry =>
    registry.streamLeftovers('ghost', { epoch: 0, isSettled: () => true }),
  'listing its channels': registry => registry.streamHeads('ghost'),
  'reading its journal': registry => registry.journal('ghost'),
  'claiming it (§6 #97)': registry => registry.claim('ghost', ANA, TTL),
  'reclaiming it (§6 #97)': registry => registry.reclaim('ghost', ANA, GHOST, { ttlMs: TTL }),
  'entering its body': registry => registry.enterBody(GHOST, ANA),
  'forking it': registry => registry.fork('ghost', { from: 'step#1', id: 'fork' }),
  'looking at its signals': registry => registry.nextSignal('ghost', 'go'),
  'rolling it over': registry => registry.startEpoch(GHOST, { epoch: 1, state: null }),
  'parking it': registry => registry.park(GHOST, []),
  'completing it under a lease': registry => registry.completeWithLease(GHOST, COMPLETED),
  'completing it by authority': registry =>
    registry.complete('ghost', COMPLETED, { authority: 'workflow_key', workflowKey: 'ghost' }),
  'postponing it': registry => registry.postpone('ghost', { attempts: 0, lastSequence: 0 }),
  'recording its submission': registry =>
    registry.recordSubmitted('ghost', { ref: REF, attempts: 0, lastSequence: 0 }),
}

export function unknownCases(it: Case): void {
  for (const [what, act] of Object.entries(UNKNOWN)) {
    it(`${what} fails and leaves nothing behind`, async ({ registry }) => {
      await refused(act(registry), 'process_unknown')
      expect(await registry.get('ghost')).toBeUndefined()
      expect(await registry.getLease('ghost')).toBeUndefined()
    })
  }

  it('reading it, its lease or its last holder finds nothing', async ({ registry }) => {
    expect(await registry.get('ghost')).toBeUndefined()
    expect(await registry.getLease('ghost')).toBeUndefined()
    expect(await registry.lastHolder('ghost')).toBeUndefined()
    expect(await registry.hasGrant({ sessionId: 's' }, 'ghost')).toBe(false)
  })

  it('beginning an attempt on it says unknown', async ({ begin }) => {
    expect(await begin('ghost')).toEqual({ type: 'unknown' })
  })

  it('releasing it or ending its attempt does nothing', async ({ registry }) => {
    await registry.release(GHOST)
    await registry.endAttempt(GHOST, 'shutdown')
    expect(await registry.getLease('ghost')).toBeUndefined()
  })

  it('renewing or taking again its lease says that the lease is lost', async ({ registry }) => {
    await refused(registry.renew(GHOST, TTL), 'process_lease_lost')
    await refused(registry.reacquire(GHOST, TTL), 'process_lease_lost')
  })
}
