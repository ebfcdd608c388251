import {
  type AttemptEnd,
  type BeginAnswer,
  type BeginAttemptRequest,
  type BegunAttempt,
  cancelledOutcome,
  decideBeginAttempt,
  decideEnterBody,
  dueAfterAttempt,
  failuresAtOnce,
} from '../../model/attempt.ts'
import { DUE } from '../../model/due.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { RESERVED_EVENT_TYPES, replayKeys } from '../../model/event.ts'
import { hasTurns } from '../../model/flow.ts'
import type { ProcessId } from '../../model/ids.ts'
import { unknownEffects } from '../../model/journal.ts'
import { asJson } from '../../model/json.ts'
import { freed, isCurrentLease, type ProcessLease, type StoredLease } from '../../model/lease.ts'
import { isTerminal, type Outcome } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import { earliestDeadline, isWaitDue, type WaitState } from '../../model/wait.ts'
import { together } from '../operation.ts'
import type { AttemptOperations, EndAnswer, ParkAnswer } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { changed, dueAt } from './due.ts'
import { enqueue, freePlace, lockPlace, queuesOf, takeTurn, tellQueue } from './flow.ts'
import { askedFor, registerAndBegin } from './register.ts'
import { insertEvent, requireHeld, saveUnderLease } from './shared.ts'
import { type GivenLease, takeLease } from './take-lease.ts'
import { isSatisfied, lockAwaited, waitersFor } from './waiters.ts'

export function createAttemptOperations(
  store: ProcessStore,
): Omit<AttemptOperations, 'situation' | 'lastHolder'> {
  return {
    beginAttempt: (id, request) => beginInOrder(store, id, request),

    registerAndBegin: async (registration, request, options) => {
      const asked = askedFor(registration, options)
      return store.transaction(tx => registerAndBegin(tx, asked, request))
    },

    enterBody: (lease, worker) =>
      store.transaction(function* (tx) {
        const eventType = RESERVED_EVENT_TYPES.firstStarted
        const [{ stored, now }, waiters] = yield* together(
          requireHeld(tx, lease),
          waitersFor(tx, lease.processId, eventType),
        )
        const decision = decideEnterBody(stored, lease, worker, now)
        if (decision.type === 'refused' || !decision.isFirst) return { type: decision.type }
        const { firstStarted } = decision
        const request = { eventType, payload: asJson(firstStarted) }
        const entered = changed(stored, { firstStarted }, now)
        const { stored: next } = yield* insertEvent(tx, entered, request, now, waiters)
        yield* saveUnderLease(tx, next, lease, now)
        return { type: decision.type }
      }),

    park: (lease, waits) => store.transaction(tx => park(tx, lease, waits)),

    endAttempt: (lease, end) => store.transaction(tx => endAttempt(tx, lease, end)),
  }
}

/**
 * Most processes stand in no queue, and one transaction is all. The others' queues are locked before their rows: whoever
 * frees a place locks the queue and then the rows of those who wait, and would stand in the way of one who begins.
 */
async function beginInOrder(
  store: ProcessStore,
  id: string,
  request: BeginAttemptRequest,
): Promise<BeginAnswer> {
  const answer = await store.transaction(function* (tx): Operation<BeginAnswer | LockFirst> {
    const found = yield* load(tx, id)
    const queues = queuesOf(found.stored?.record.flow)
    return queues.length > 0 ? { type: 'lock_first', queues } : yield* begin(tx, found, request)
  })
  if (answer.type !== 'lock_first') return answer
  return store.transaction(function* (tx) {
    for (const queue of answer.queues) yield* tx.lockQueue(queue)
    return yield* begin(tx, yield* load(tx, id), request)
  })
}

/** Nothing was written: it has queues. */
interface LockFirst {
  readonly type: 'lock_first'
  readonly queues: readonly string[]
}

interface Found {
  readonly stored: StoredProcess | undefined
  readonly lease: StoredLease | undefined
  readonly now: number
}

function* load(tx: StoreTransaction, id: string): Operation<Found> {
  const processId = id as ProcessId
  const [stored, lease, now] = yield* together(tx.loadProcess(processId), tx.loadLease(processId), tx.now())
  return { stored, lease, now }
}

function* begin(
  tx: StoreTransaction,
  { stored, lease, now }: Found,
  request: BeginAttemptRequest,
): Operation<BeginAnswer> {
  if (stored === undefined) return { type: 'unknown' }
  const decision = decideBeginAttempt(stored, lease, request, now)
  switch (decision.type) {
    case 'run':
      return yield* beginInTurn(tx, stored, lease, request, now, decision.attemptsSpent)
    case 'settle': {
      const { attemptsSpent } = stored
      const deathProof = decision.deathProof ?? lease?.deathProof
      const taken = yield* takeLease(tx, stored, lease, request, now, { attemptsSpent, deathProof })
      if (stored.record.turn !== undefined) yield* tellQueue(tx, stored.record.turn)
      const outcome = yield* withUnknownEffects(tx, stored, decision.outcome)
      return { type: 'settle', lease: taken.lease, outcome }
    }
    case 'parked':
      yield* saveWaiting(tx, stored, DUE.afterPark(decision.untilMs))
      yield* freePlace(tx, lease?.holder)
      return decision
    case 'silent':
      yield* saveSilent(tx, stored, now)
      yield* freePlace(tx, lease?.holder)
      return decision
    case 'terminal':
      if (!stored.isRunWaiting) yield* tx.saveDue(stored.record.id, undefined)
      else yield* tx.saveProcess(dueAt({ ...stored, isRunWaiting: false }, undefined), { status: 'any' })
      return decision
    case 'external':
      yield* tx.saveDue(stored.record.id, dueExternal(stored, lease))
      return decision
    case 'other_profile':
    case 'busy':
      return decision
  }
}

/** Most processes have no flow and begin at once; others only if it is their turn. */
function* beginInTurn(
  tx: StoreTransaction,
  stored: StoredProcess,
  lease: StoredLease | undefined,
  request: BeginAttemptRequest,
  askedAt: number,
  attemptsSpent: number,
): Operation<BeginAnswer> {
  const { flow, turn } = stored.record
  if (!hasTurns(flow)) return yield* run(tx, stored, lease, request, askedAt, { attemptsSpent })
  const decision = yield* takeTurn(tx, stored, flow, lease, request)
  // It may have waited for the locks of its keys.
  const now = yield* tx.now()
  if (decision.type === 'wait') {
    const waiting = yield* enqueue(tx, { ...stored, attemptsSpent, isAttemptOpen: false }, decision, now)
    yield* freePlace(tx, lease?.holder)
    return { type: 'queued', turn: waiting }
  }
  const taken = yield* run(tx, stored, lease, request, now, { attemptsSpent, place: decision.place })
  if (turn !== undefined) yield* tellQueue(tx, turn)
  return taken
}

function* run(
  tx: StoreTransaction,
  stored: StoredProcess,
  current: StoredLease | undefined,
  request: BeginAttemptRequest,
  now: number,
  given: GivenLease,
): Operation<BegunAttempt> {
  const { id, attempts } = stored.record
  // Empty but for a fork's, and then read before the others are let in; a later attempt's may be long.
  const journal = attempts > 0 ? undefined : yield* tx.listJournal(id, stored.epoch, 'empty')
  const taken = yield* takeLease(tx, stored, current, request, now, given)
  return { type: 'run', ...taken, ...(journal === undefined ? {} : { journal }) }
}

/** A cancelled process says which effects of its attempts nobody can vouch for. */
function* withUnknownEffects(
  tx: StoreTransaction,
  stored: StoredProcess,
  outcome: Outcome,
): Operation<Outcome> {
  if (outcome.status !== 'cancelled') return outcome
  const journal = yield* tx.listJournal(stored.record.id, stored.epoch)
  return cancelledOutcome(stored.record.cancelRequest?.reason, unknownEffects(journal))
}

/**
 * Nothing here is ever due about external work, but for a request to abandon it. One that is answered `external` has a
 * live lease in its way: somebody settles it, and if that one dies, the row must come up again.
 */
const dueExternal = (stored: StoredProcess, lease: StoredLease | undefined): number | undefined =>
  stored.record.abandonRequest === undefined || lease?.holder === undefined
    ? undefined
    : DUE.afterLease(lease.holder.expiresAtMs)

/** The backend's run is told to wait: remembered, so that a terminal write tells it. */
function* saveWaiting(tx: StoreTransaction, stored: StoredProcess, due: number | undefined): Operation<void> {
  if (stored.isRunWaiting) yield* tx.saveDue(stored.record.id, due)
  else yield* tx.saveProcess(dueAt({ ...stored, isRunWaiting: true }, due), { status: 'running' })
}

function* saveSilent(tx: StoreTransaction, stored: StoredProcess, now: number): Operation<void> {
  if (stored.record.silentSinceMs !== undefined) return yield* saveWaiting(tx, stored, undefined)
  const payload = asJson({ owner: stored.record.firstStarted?.owner ?? null })
  const request = { eventType: RESERVED_EVENT_TYPES.ownerSilent, payload }
  const { stored: next } = yield* insertEvent(tx, changed(stored, { silentSinceMs: now }, now), request, now)
  yield* tx.saveProcess(dueAt({ ...next, isRunWaiting: true }, undefined), { status: 'running' })
}

function* park(
  tx: StoreTransaction,
  lease: ProcessLease,
  waits: readonly WaitState[],
): Operation<ParkAnswer> {
  yield* lockPlace(tx, lease)
  yield* lockAwaited(tx, lease.processId, waits)
  const { stored, current, now } = yield* requireHeld(tx, lease)
  requireLeavable(stored)
  // The condition is read in the transaction that stores the wait: what satisfies it comes either before or after.
  if (stored.record.cancelRequest !== undefined) return { type: 'due' }
  for (const wait of waits) {
    if (isWaitDue(wait, now) || (yield* isSatisfied(tx, stored.record.id, wait))) return { type: 'due' }
  }
  const untilMs = earliestDeadline(waits)
  let next = changed(stored, { waits }, now)
  for (const wait of waits) {
    const waiting = {
      eventType: 'process.waiting',
      payload: asJson(wait),
      replayKey: replayKeys.waiting(wait.key),
    }
    // A wait that an earlier attempt announced keeps its event.
    const known = yield* tx.findEvent(stored.record.id, waiting.replayKey)
    if (known === undefined) next = (yield* insertEvent(tx, next, waiting, now)).stored
  }
  next = { ...next, isAttemptOpen: false, isRunWaiting: true, failures: 0 }
  // Its own announcement may be what it waits for.
  const due = next.record.waits.some(wait => isWaitDue(wait, now)) ? now : DUE.afterPark(untilMs)
  yield* saveUnderLease(tx, dueAt(next, due), lease, now)
  yield* tx.saveLease(lease.processId, freed(current), current.fence)
  yield* freePlace(tx, lease)
  return { type: 'parked', ...(untilMs === undefined ? {} : { untilMs }) }
}

/** Whoever leaves a started owner-bound body could never come back: its waits stay in memory, at its owner. */
function requireLeavable({ record }: StoredProcess): void {
  if (record.disposition !== 'owner_bound' || record.firstStarted === undefined) return
  throw new LeaseholdError(
    'process_park_refused',
    `Process "${record.id}" is owner-bound and has started, so it cannot park: nobody may run it again. Wait in memory.`,
    { processId: record.id },
  )
}

function* endAttempt(tx: StoreTransaction, lease: ProcessLease, end: AttemptEnd): Operation<EndAnswer> {
  yield* lockPlace(tx, lease)
  const { processId } = lease
  const [stored, current, now] = yield* together(tx.loadProcess(processId), tx.loadLease(processId), tx.now())
  if (stored === undefined || isTerminal(stored.record.status)) return { type: 'not_held' }
  if (current === undefined || !isCurrentLease(current, lease, now)) return { type: 'not_held' }
  const isShutdown = end === 'shutdown'
  const ended = {
    ...stored,
    // An attempt that failed stays open, so that the next one counts it as spent.
    isAttemptOpen: !isShutdown,
    failures: isShutdown ? stored.failures : failuresAtOnce(stored, lease, now) + 1,
  }
  const dueAtMs = dueAfterAttempt(end, stored, lease, now)
  yield* saveUnderLease(tx, dueAt(ended, dueAtMs), lease, now)
  yield* tx.saveLease(lease.processId, freed(current), current.fence)
  yield* freePlace(tx, lease)
  return { type: 'ended', dueInMs: dueAtMs - now }
}
