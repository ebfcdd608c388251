import { LeaseholdError } from '../../model/errors.ts'
import {
  type AppendRequest,
  CANCEL_REQUESTED,
  decideAppend,
  RESERVED_EVENT_TYPES,
  replayKeys,
} from '../../model/event.ts'
import { decideFirstStarted } from '../../model/first-started.ts'
import { notVisible } from '../../model/grant.ts'
import type { ProcessId } from '../../model/ids.ts'
import { asJson, jsonEquals } from '../../model/json.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { ExternalRef, ProcessRecord, StoredProcess } from '../../model/process.ts'
import { requireSessionScope, type SessionScope, scopeId } from '../../model/session-scope.ts'
import { findSchemaProblem } from '../json-schema.ts'
import { together } from '../operation.ts'
import type { CancelResult, RowOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreReader, StoreTransaction } from '../store.ts'
import { changed, dueUnlessHeld } from './due.ts'
import { askedFor, notJoinable, register } from './register.ts'
import { insertEvent, requireProcess } from './shared.ts'

/** Where each process has an environment of its own, they are not worth remembering. */
const MOST_REMEMBERED = 1_000

export function createRowOperations(store: ProcessStore): RowOperations {
  /** The refs of environments that are there for certain. */
  const environments = new Set<string>()
  return {
    register: async (request, options) => {
      const asked = askedFor(request, options)
      return store.transaction(tx => register(tx, asked))
    },

    registerIn: async (host, request, options) => {
      const asked = askedFor(request, { ...options, isDueAtOnce: true })
      if (store.join === undefined) throw notJoinable(asked.registration.id)
      return store.join(host, tx => register(tx, asked))
    },

    get: id =>
      store.read(function* (reader) {
        const stored = yield* reader.loadProcess(id as ProcessId)
        return stored?.record
      }),

    requireRecord: id =>
      store.read(function* (reader) {
        return (yield* requireProcess(reader, id)).record
      }),

    setExternalRef: (id, ref) =>
      store.transaction(function* (tx) {
        const stored = yield* requireProcess(tx, id)
        if (stored.record.externalRef !== undefined) return requireSameRef(stored.record, ref)
        const next = yield* withExternalRef(tx, stored, ref)
        yield* tx.saveProcess(next, { status: 'any' })
        return next.record
      }),

    recordFirstStarted: (id, start) =>
      store.transaction(function* (tx) {
        const [stored, lease, now] = yield* together(
          requireProcess(tx, id),
          tx.loadLease(id as ProcessId),
          tx.now(),
        )
        const firstStarted = decideFirstStarted(stored.record, lease, start)
        if (firstStarted === undefined) return stored.record
        const request = { eventType: RESERVED_EVENT_TYPES.firstStarted, payload: asJson(firstStarted) }
        const { stored: next } = yield* insertEvent(tx, changed(stored, { firstStarted }, now), request, now)
        yield* tx.saveProcess(next, { status: 'running' })
        return next.record
      }),

    requestAbandon: (id, request) =>
      store.transaction(function* (tx) {
        const stored = yield* requireProcess(tx, id)
        if (isTerminal(stored.record.status)) {
          throw new LeaseholdError(
            'process_abandon_on_terminal',
            `Process "${id}" already ended as ${stored.record.status}; there is nothing to abandon.`,
            { processId: id },
          )
        }
        if (stored.record.abandonRequest !== undefined) return { record: stored.record, isDue: false }
        const now = yield* tx.now()
        const abandonRequest = { ...request, requestedAtMs: now }
        return yield* recordRequest(tx, changed(stored, { abandonRequest }, now), now, {
          eventType: RESERVED_EVENT_TYPES.abandonRequested,
          payload: asJson(abandonRequest),
        })
      }),

    requestCancel: (id, reason, { force = false, from } = {}) =>
      store.transaction(function* (tx) {
        if (from !== undefined) yield* requireVisible(tx, requireSessionScope(from), id)
        const stored = yield* requireProcess(tx, id)
        const replayKey = replayKeys.cancelRequested(id, reason, force)
        const request = {
          eventType: CANCEL_REQUESTED,
          payload: { reason: reason ?? null, ...(force ? { force } : {}) },
          replayKey,
        }
        const withSameKey = yield* tx.findEvent(stored.record.id, replayKey)
        const now = yield* tx.now()
        const decision = decideAppend(
          { record: stored.record, ...(withSameKey === undefined ? {} : { withSameKey }) },
          { ...request, processId: stored.record.id },
          now,
          findSchemaProblem,
        )
        if (decision.type === 'replay') return { record: stored.record, isDue: false }
        return yield* recordRequest(tx, stored, now, request)
      }),

    putEnv: async (ref, bytes) => {
      // Most starts share one environment, and nothing takes it away again.
      if (environments.has(ref)) return
      // Looking first spares the others a write lock.
      if ((await store.read(reader => reader.loadEnv(ref))) === undefined) {
        await store.transaction(tx => tx.insertEnv(ref, bytes))
      }
      if (environments.size === MOST_REMEMBERED) environments.clear()
      environments.add(ref)
    },

    getEnv: ref => store.read(reader => reader.loadEnv(ref)),
  }
}

/** Asked first: to whom it is not visible, whether it exists is not told either. */
function* requireVisible(reader: StoreReader, scope: SessionScope, id: string): Operation<void> {
  const grant = yield* reader.loadGrant(scopeId(scope), id as ProcessId)
  if (grant === undefined) throw notVisible(scope, id)
}

function* recordRequest(
  tx: StoreTransaction,
  stored: StoredProcess,
  now: number,
  request: AppendRequest,
): Operation<Required<CancelResult>> {
  const requested = yield* insertEvent(tx, stored, request, now)
  const { stored: next, isDue } = yield* dueUnlessHeld(tx, requested.stored, now)
  yield* tx.saveProcess(next, { status: 'any' })
  return { record: next.record, isDue, event: requested.event }
}

/** The row with its ref and the event that says so; still to be saved. */
export function* withExternalRef(
  tx: StoreTransaction,
  stored: StoredProcess,
  ref: ExternalRef,
): Operation<StoredProcess> {
  const now = yield* tx.now()
  const request = { eventType: RESERVED_EVENT_TYPES.externalRefSet, payload: asJson(ref) }
  const { stored: next } = yield* insertEvent(tx, changed(stored, { externalRef: ref }, now), request, now)
  return next
}

function requireSameRef(record: ProcessRecord, ref: ExternalRef): ProcessRecord {
  const current = record.externalRef as ExternalRef
  if (jsonEquals(asJson(current), asJson(ref))) return record
  throw new LeaseholdError(
    'process_external_ref_conflict',
    `Process "${record.id}" is already bound to ${current.backend} "${current.id}"; it cannot be bound to ${ref.backend} "${ref.id}" as well.`,
    { processId: record.id, details: { current: current.id, requested: ref.id } },
  )
}
