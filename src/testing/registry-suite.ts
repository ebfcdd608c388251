import { describe, expect, test } from 'vitest'
import { approvalCases } from './registry-suite/approvals.ts'
import { attemptCases } from './registry-suite/attempts.ts'
import { awaitingCases } from './registry-suite/awaiting.ts'
import { beginNewCases } from './registry-suite/begin-new.ts'
import { blobCases } from './registry-suite/blobs.ts'
import { bodyCases } from './registry-suite/body.ts'
import { budgetCases } from './registry-suite/budgets.ts'
import { changeCases } from './registry-suite/changes.ts'
import { closedSessionCases } from './registry-suite/closed-sessions.ts'
import { completionCases } from './registry-suite/completion.ts'
import { deadDelivererCases } from './registry-suite/dead-deliverers.ts'
import { drainCases } from './registry-suite/drains.ts'
import { dueCases } from './registry-suite/due.ts'
import { effectCases } from './registry-suite/effects.ts'
import { environmentCases } from './registry-suite/environments.ts'
import { epochCases } from './registry-suite/epochs.ts'
import { semanticsCases } from './registry-suite/event-semantics.ts'
import { eventCases } from './registry-suite/events.ts'
import { figureCases } from './registry-suite/figures.ts'
import { firstStartedCases } from './registry-suite/first-started.ts'
import { flowCases } from './registry-suite/flow.ts'
import { foldCases } from './registry-suite/fold.ts'
import { forkCases } from './registry-suite/forks.ts'
import { goneSessionCases } from './registry-suite/gone-sessions.ts'
import { grantCases } from './registry-suite/grants.ts'
import { type Case, type Deviation, inWorld, type OpenRegistry } from './registry-suite/harness.ts'
import { journalCases } from './registry-suite/journal.ts'
import { keptCases } from './registry-suite/kept.ts'
import { leaseCases } from './registry-suite/leases.ts'
import { listCases } from './registry-suite/list.ts'
import { outboxCases } from './registry-suite/outbox.ts'
import { parkCases } from './registry-suite/park.ts'
import { pendingCallCases } from './registry-suite/pending-calls.ts'
import { pruneCases } from './registry-suite/prune.ts'
import { raceCases } from './registry-suite/races.ts'
import { recoveryCases } from './registry-suite/recovery.ts'
import { refCases } from './registry-suite/refs.ts'
import { registrationCases } from './registry-suite/registration.ts'
import { reopenCases } from './registry-suite/reopen.ts'
import { requestCases } from './registry-suite/requests.ts'
import { reuseCases } from './registry-suite/reuse.ts'
import { scheduleCases } from './registry-suite/schedules.ts'
import { sessionLogCases } from './registry-suite/session-log.ts'
import { sessionCases } from './registry-suite/sessions.ts'
import { signalCases } from './registry-suite/signals.ts'
import { silenceCases } from './registry-suite/silence.ts'
import { startCases } from './registry-suite/starts.ts'
import { streamCases } from './registry-suite/streams.ts'
import { textCases } from './registry-suite/texts.ts'
import { tombstoneCases } from './registry-suite/tombstones.ts'
import { triggerCases } from './registry-suite/triggers.ts'
import { unknownCases } from './registry-suite/unknown.ts'
import { waitingTurnCases } from './registry-suite/waiting-turns.ts'
import { waitCases } from './registry-suite/waits.ts'
import { wakeCases } from './registry-suite/wakes.ts'
import { workerCases } from './registry-suite/workers.ts'
import { worklistCases } from './registry-suite/worklist.ts'

export interface ProcessRegistrySuite {
  /** Stands before the name of each case. */
  readonly name: string
  readonly open: OpenRegistry
  /** By the exact name of the case. A name that no case has fails the suite. */
  readonly deviations?: Readonly<Record<string, Deviation>>
}

/** The cases by what they are about; in this order they run. */
export const SUBJECTS: Readonly<Record<string, (it: Case) => void>> = {
  registering: registrationCases,
  'an id that was never registered': unknownCases,
  listing: listCases,
  'the external reference': refCases,
  grants: grantCases,
  'the deletion of a session': sessionCases,
  'the first start': firstStartedCases,
  'requests to stop': requestCases,
  'beginning an attempt': attemptCases,
  recovery: recoveryCases,
  'entering and ending the body': bodyCases,
  parking: parkCases,
  waits: waitCases,
  'a start that begins at once': beginNewCases,
  'the due time': dueCases,
  'the worklist': worklistCases,
  'flow control': flowCases,
  figures: figureCases,
  leases: leaseCases,
  'workers and proofs of their death': workerCases,
  draining: drainCases,
  silence: silenceCases,
  events: eventCases,
  'what events mean': semanticsCases,
  signals: signalCases,
  'waiting for one another': awaitingCases,
  'pending tool calls': pendingCallCases,
  'approvals of tool calls': approvalCases,
  budgets: budgetCases,
  sessions: sessionLogCases,
  'turns that wait for their session': waitingTurnCases,
  'sessions that are closed': closedSessionCases,
  streams: streamCases,
  wakes: wakeCases,
  'the outbox': outboxCases,
  'wakes in the hands of the dead': deadDelivererCases,
  'wakes of sessions that are gone': goneSessionCases,
  triggers: triggerCases,
  schedules: scheduleCases,
  completion: completionCases,
  races: raceCases,
  texts: textCases,
  'the journal': journalCases,
  'starts by a running process': startCases,
  forks: forkCases,
  'epochs of the journal': epochCases,
  'the ledger of effects': effectCases,
  environments: environmentCases,
  'large payloads': blobCases,
  'the change feed': changeCases,
  'the record as a fold of its log': foldCases,
  pruning: pruneCases,
  'an ended process is kept': keptCases,
  tombstones: tombstoneCases,
  'an id that is used again': reuseCases,
  reopening: reopenCases,
}

/**
 * Holds one store to the registry's contract, case by case, each in a registry of its own and on a clock that only the
 * case moves. Call it at the top of a vitest file.
 */
export function testProcessRegistry({ name, open, deviations = {} }: ProcessRegistrySuite): void {
  const unused = new Set(Object.keys(deviations))
  const it: Case = (title, run) => {
    const deviation = deviations[title]
    unused.delete(title)
    if (deviation === undefined) test(title, () => inWorld(open, run))
    else {
      test(`${title} — deviates: ${deviation.reason}`, () =>
        inWorld(open, (_, opened) => deviation.instead(opened)))
    }
  }
  describe(name, () => {
    for (const [subject, define] of Object.entries(SUBJECTS)) describe(subject, () => define(it))
    test('declares deviations of cases that exist, and no others', () => {
      expect([...unused]).toEqual([])
    })
  })
}
