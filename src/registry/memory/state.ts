import type { BudgetLedger } from '../../model/budget.ts'
import type { DrainRequest } from '../../model/drain.ts'
import type { StoredEvent } from '../../model/event.ts'
import type { HandleGrant } from '../../model/grant.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { StoredLease } from '../../model/lease.ts'
import type { StoredWake } from '../../model/outbox.ts'
import type { PendingCall } from '../../model/pending-call.ts'
import type { StoredProcess } from '../../model/process.ts'
import type { Tombstone } from '../../model/retention.ts'
import type { Session, SessionEntry, WaitingTurn } from '../../model/session.ts'
import type { StreamRow } from '../../model/stream.ts'
import type { Trigger, TriggerDelivery, TriggerOccurrence } from '../../model/trigger.ts'
import type { WorkerRow } from '../../model/worker-row.ts'
import type { MemoryBlob } from './blobs.ts'
import { TransactionalMap, UndoLog } from './transactional-map.ts'

/** Everything that a memory store holds, in the place of a database's tables. */
export class MemoryState {
  readonly undo = new UndoLog()
  readonly processes = new TransactionalMap<ProcessId, StoredProcess>(this.undo)
  readonly leases = new TransactionalMap<ProcessId, StoredLease>(this.undo)
  /** Per process, in order of sequence. */
  readonly events = new TransactionalMap<ProcessId, readonly StoredEvent[]>(this.undo)
  /** Per process, the sequences whose wakes are not acknowledged. */
  readonly unackedWakes = new TransactionalMap<ProcessId, readonly number[]>(this.undo)
  /** Per process, the sequences of the signals that are not consumed. */
  readonly unconsumedSignals = new TransactionalMap<ProcessId, readonly number[]>(this.undo)
  /** By process, epoch and address. */
  readonly journal = new TransactionalMap<string, JournalEntry>(this.undo)
  readonly wakes = new TransactionalMap<string, StoredWake>(this.undo)
  readonly workers = new TransactionalMap<string, WorkerRow>(this.undo)
  /** By the worker's incarnation. */
  readonly drains = new TransactionalMap<string, DrainRequest>(this.undo)
  readonly envs = new TransactionalMap<string, Uint8Array>(this.undo)
  readonly budgets = new TransactionalMap<ProcessId, BudgetLedger>(this.undo)
  readonly pendingCalls = new TransactionalMap<string, PendingCall>(this.undo)
  readonly sessions = new TransactionalMap<string, Session>(this.undo)
  /** Per session, in order of position. */
  readonly sessionEntries = new TransactionalMap<string, readonly SessionEntry[]>(this.undo)
  /** Per session, in order of position. */
  readonly waitingTurns = new TransactionalMap<string, readonly WaitingTurn[]>(this.undo)
  /** When each was deleted. */
  readonly sessionTombstones = new TransactionalMap<string, number>(this.undo)
  readonly triggers = new TransactionalMap<string, Trigger>(this.undo)
  readonly occurrences = new TransactionalMap<string, TriggerOccurrence>(this.undo)
  /** By the id of the process that each starts. */
  readonly deliveries = new TransactionalMap<string, TriggerDelivery>(this.undo)
  /** By hash. */
  readonly blobs = new TransactionalMap<string, MemoryBlob>(this.undo)
  /** Hashes that the process's row, its events, wakes and pending calls refer to. */
  readonly processBlobs = new TransactionalMap<ProcessId, readonly string[]>(this.undo)
  /** Hashes that the session's row and its entries refer to. */
  readonly sessionBlobs = new TransactionalMap<string, readonly string[]>(this.undo)
  /** Hashes that a journal entry refers to, by the entry's key. */
  readonly journalBlobs = new TransactionalMap<string, readonly string[]>(this.undo)
  /** Per process and channel, in order of offset. */
  readonly streams = new TransactionalMap<string, readonly StreamRow[]>(this.undo)
  /** By scope and process. */
  readonly grants = new TransactionalMap<string, HandleGrant>(this.undo)
  /** By key: when the next of an evenly spaced row would begin. */
  readonly rates = new TransactionalMap<string, number>(this.undo)
  /** With the change position of each. */
  readonly tombstones = new TransactionalMap<ProcessId, Tombstone & { readonly changeSeq: number }>(this.undo)
  /** Never goes back, not even in a rollback: a position is given once. */
  changeSeq = 0
}

export const grantKey = (scopeId: string, processId: ProcessId): string =>
  JSON.stringify([scopeId, processId])

export const journalKey = (id: ProcessId, epoch: number, address: string): string =>
  JSON.stringify([id, epoch, address])

export const streamKey = (id: ProcessId, channel: string): string => JSON.stringify([id, channel])
