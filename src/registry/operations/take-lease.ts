import { type BeginAttemptRequest, leaseForAttempt, storedLease } from '../../model/attempt.ts'
import { DUE } from '../../model/due.ts'
import { replayKeys } from '../../model/event.ts'
import type { DeathProof, ProcessLease, StoredLease } from '../../model/lease.ts'
import type { StoredProcess } from '../../model/process.ts'
import { isWaitDue } from '../../model/wait.ts'
import type { Operation, StoreTransaction } from '../store.ts'
import { changed, dueAt } from './due.ts'
import { withoutTurn } from './flow.ts'
import { insertEvent, withOwnerBack } from './shared.ts'

export interface GivenLease {
  readonly attemptsSpent: number
  readonly deathProof?: DeathProof | undefined
  readonly place?: string | undefined
}

/** Takes the lease that a claiming answer comes with; the row says that an attempt has begun. */
export function* takeLease(
  tx: StoreTransaction,
  stored: StoredProcess,
  current: StoredLease | undefined,
  request: BeginAttemptRequest,
  now: number,
  given: GivenLease,
): Operation<{ lease: ProcessLease; process: StoredProcess }> {
  const { lease, isFresh } = leaseForAttempt(stored.record.id, current, request, now, given.place)
  yield* tx.saveLease(lease.processId, storedLease(lease, request, given.deathProof), current?.fence ?? 0)
  let next = changed(
    withoutTurn(stored),
    { attempts: stored.record.attempts + (isFresh ? 1 : 0), waits: [] },
    now,
  )
  next = {
    ...next,
    attemptsSpent: given.attemptsSpent,
    submissions: 0,
    isAttemptOpen: true,
    isRunWaiting: false,
  }
  next = yield* withOwnerBack(tx, next, request.attempt, now)
  // A wait beside a due one goes on in the code that runs now: it resumes in its own time, after another park.
  for (const wait of stored.record.waits.filter(one => isWaitDue(one, now))) {
    const resumed = {
      eventType: 'process.resumed',
      payload: { key: wait.key },
      replayKey: replayKeys.resumed(wait.key),
    }
    const known = yield* tx.findEvent(lease.processId, resumed.replayKey)
    if (known === undefined) next = (yield* insertEvent(tx, next, resumed, now)).stored
  }
  const process = dueAt(next, DUE.afterLease(lease.expiresAtMs))
  yield* tx.saveProcess(process, { status: 'running' })
  return { lease, process }
}
