import type { BeginAttemptRequest } from '../../model/attempt.ts'
import {
  AHEAD_MS,
  burstOf,
  DEFAULT_PRIORITY,
  decideTurn,
  type Flow,
  LOOK_MS,
  queueOf,
  TURN_MS,
  type Turn,
  type TurnDecision,
  turnOf,
} from '../../model/flow.ts'
import type { ProcessId } from '../../model/ids.ts'
import { isLive, type ProcessLease, type StoredLease } from '../../model/lease.ts'
import type { StoredProcess } from '../../model/process.ts'
import type { Operation, QueuePlace, StoreTransaction } from '../store.ts'
import { changed, dueAt } from './due.ts'

/** So many of a queue are looked at when somebody leaves it; those behind them are when these have left. */
const MOST_TOLD = 32

/** The queues that a process may have to stand in, in the order in which everybody locks them. */
export const queuesOf = ({ concurrency, rate }: Flow = {}): readonly string[] => [
  ...(concurrency === undefined ? [] : [placesOf(concurrency.key)]),
  ...(rate === undefined ? [] : [ratesOf(rate.key)]),
]

const placesOf = (key: string): string => queueOf({ on: 'concurrency', key })
const ratesOf = (key: string): string => queueOf({ on: 'rate', key })

/**
 * May the process begin, of all that its flow says? Its queues are locked, so that of two who reach for the last place one
 * counts when the other's lease is committed. What a rate counts is written with the answer.
 */
export function* takeTurn(
  tx: StoreTransaction,
  stored: StoredProcess,
  flow: Flow,
  lease: StoredLease | undefined,
  { attempt }: BeginAttemptRequest,
): Operation<TurnDecision> {
  // The same request, sent twice: it has begun.
  if (lease?.holder?.owner.incarnationId === attempt && isLive(lease.holder, yield* tx.now())) {
    return { type: 'go', ...(lease.holder.place === undefined ? {} : { place: lease.holder.place }) }
  }
  const { concurrency, rate } = flow
  const now = yield* tx.now()
  const since = now - TURN_MS
  const mine = placeInQueue(stored)
  const facts = {
    held: concurrency === undefined ? 0 : yield* tx.countPlaces(concurrency.key, now, stored.record.id),
    // As many ahead as there are places, or turns at once, are enough to be kept waiting by.
    aheadForPlace:
      concurrency === undefined
        ? 0
        : yield* tx.countQueued(placesOf(concurrency.key), mine, since, concurrency.limit),
    nextMs: rate && (yield* tx.loadRate(rate.key)),
    aheadForRate:
      rate === undefined ? 0 : yield* tx.countQueued(ratesOf(rate.key), mine, since, burstOf(rate)),
  }
  const decision = decideTurn(flow, stored.record, facts, now)
  if (decision.type === 'go' && rate !== undefined && decision.nextMs !== undefined) {
    yield* tx.saveRate(rate.key, decision.nextMs)
  }
  return decision
}

/** Nobody is told to come and look: whoever makes room makes it due. */
export function* enqueue(
  tx: StoreTransaction,
  stored: StoredProcess,
  { on, key }: Extract<TurnDecision, { type: 'wait' }>,
  now: number,
): Operation<Turn> {
  const before = stored.record.turn
  const isSame = before?.on === on && before.key === key
  const turn: Turn = { on, key, sinceMs: isSame ? before.sinceMs : now }
  const queued = changed({ ...stored, isRunWaiting: true }, { turn }, now)
  yield* tx.saveProcess(dueAt(queued, undefined), { status: 'running' })
  if (before !== undefined && !isSame) yield* tellQueue(tx, before)
  yield* tellQueue(tx, turn)
  return turn
}

/** The first of the queue whose turn it is, or soon will be, are due then. */
export function* tellQueue(tx: StoreTransaction, { on, key }: Pick<Turn, 'on' | 'key'>): Operation<void> {
  const queue = queueOf({ on, key })
  yield* tx.lockQueue(queue)
  const now = yield* tx.now()
  const waiting = yield* tx.listQueued(queue, now - TURN_MS, MOST_TOLD)
  if (waiting.length === 0) return
  const held = on === 'concurrency' ? yield* tx.countPlaces(key, now) : 0
  const nextMs = on === 'rate' ? yield* tx.loadRate(key) : undefined
  const state = { held, ...(nextMs === undefined ? {} : { nextMs }) }
  for (const [ahead, { id, flow, atMs: toldMs }] of waiting.entries()) {
    const atMs = turnOf(flow, on, { ...state, ahead }, now)
    if (atMs === undefined || (ahead > 0 && atMs > now + AHEAD_MS)) {
      // Whoever had to tell it may have lapsed without a word: it looks for itself, and it alone.
      if (toldMs === undefined) yield* lookItself(tx, id, now)
      return
    }
    // One that was told is about to begin, and is left to it.
    if (toldMs !== undefined && toldMs <= atMs) continue
    const waiter = yield* tx.loadProcess(id)
    const { turn } = waiter?.record ?? {}
    if (waiter === undefined || turn === undefined || queueOf(turn) !== queue) continue
    const told = changed(waiter, { turn: { ...turn, atMs } }, now)
    yield* tx.saveProcess(dueAt(told, atMs), { status: 'running' })
  }
}

function* lookItself(tx: StoreTransaction, id: ProcessId, now: number): Operation<void> {
  const waiter = yield* tx.loadProcess(id)
  if (waiter?.record.turn !== undefined && waiter.dueAtMs === undefined) yield* tx.saveDue(id, now + LOOK_MS)
}

/** Before the rows, as whoever begins does it: see `beginInOrder`. */
export function* lockPlace(tx: StoreTransaction, { place }: Pick<ProcessLease, 'place'>): Operation<void> {
  if (place !== undefined) yield* tx.lockQueue(placesOf(place))
}

/** Its lease is over, saved as such, and with it the place that it held. */
export function* freePlace(
  tx: StoreTransaction,
  lease: Pick<ProcessLease, 'place'> | undefined,
): Operation<void> {
  if (lease?.place !== undefined) yield* tellQueue(tx, { on: 'concurrency', key: lease.place })
}

/** May one whose lease has lapsed take it again? Not if its place is another's by now. */
export function* mayReturn(
  tx: StoreTransaction,
  { record }: StoredProcess,
  { holder }: StoredLease,
): Operation<boolean> {
  const place = holder?.place
  if (place === undefined || record.flow?.concurrency === undefined) return true
  yield* tx.lockQueue(placesOf(place))
  const held = yield* tx.countPlaces(place, yield* tx.now(), record.id)
  return held < record.flow.concurrency.limit
}

/** An attempt begins, or the process ends: it waits for no turn any more. */
export function withoutTurn(stored: StoredProcess): StoredProcess {
  if (stored.record.turn === undefined) return stored
  const { turn: _, ...record } = stored.record
  return { ...stored, record }
}

export const placeInQueue = ({ record }: StoredProcess): QueuePlace => ({
  priority: record.flow?.priority ?? DEFAULT_PRIORITY,
  createdAtMs: record.createdAtMs,
  id: record.id,
})
