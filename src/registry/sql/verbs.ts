import type { StoreReader, StoreTransaction } from '../store.ts'
import { deleteBlobs, listBlobs } from './blob-collection.ts'
import { deleteDrains, loadDrain, saveDrain } from './drains.ts'
import { insertEnv, loadEnv } from './envs.ts'
import {
  ackWake,
  consumeSignal,
  countEvents,
  findEvent,
  findEventOfType,
  findSignal,
  insertEvent,
  listEvents,
  listRecentEvents,
  listWakeEvents,
} from './events.ts'
import { countPlaces, countQueued, deleteRates, listQueued, loadRate, saveRate } from './flow.ts'
import {
  deleteGrant,
  listGrantedIds,
  listGrants,
  listGrantsOfProcess,
  listWakingIds,
  loadGrant,
  saveGrant,
} from './grants.ts'
import {
  deleteRepeatable,
  listJournal,
  listOnceSteps,
  loadJournalEntry,
  saveJournalEntry,
  saveResolution,
} from './journal.ts'
import { listLeasesOfWorker, listOrphans, loadLease, loadLeaseForUpdate, saveLease } from './leases.ts'
import { insertPendingCall, loadPendingCall, saveAnswer } from './pending-calls.ts'
import { listProcesses } from './process-list.ts'
import { countLiveReferences, greatestId, listRegistered } from './process-lookups.ts'
import {
  insertProcess,
  listDue,
  loadProcess,
  loadProcessForUpdate,
  nextDue,
  saveDue,
  saveProcess,
} from './processes.ts'
import { deleteProcess, listEnded } from './retention.ts'
import type { SqlPlatform, SqlSession } from './session.ts'
import {
  deleteSession,
  findLastSummary,
  insertSession,
  insertSessionEntry,
  listSessionEntries,
  loadSession,
  loadSessionForUpdate,
  saveSession,
} from './sessions.ts'
import {
  deleteTombstone,
  deleteTombstones,
  insertTombstone,
  loadTombstone,
  loadTombstoneForUpdate,
} from './tombstones.ts'
import { isAwaited, listWaiters } from './waits.ts'
import {
  countOpenWakes,
  hasDueWake,
  insertWake,
  listBlockedWakes,
  listDueWakes,
  listOpenWakes,
  listWakesOf,
  loadWake,
  nextWakeDue,
  saveWake,
} from './wakes.ts'
import { deleteWorker, listWorkers, saveWorker } from './workers.ts'

/** The seam's reading verbs over any SQL database. */
export const createSqlReader = (session: SqlSession, platform: SqlPlatform): StoreReader => ({
  now: () => platform.now(session),
  loadProcess: id => loadProcess(session, id),
  listProcesses: (filter, page) => listProcesses(session, filter, page),
  greatestId: () => greatestId(session),
  listRegistered: ids => listRegistered(session, ids),
  countLiveReferences: () => countLiveReferences(session),
  loadLease: id => loadLease(session, id),
  findEvent: (id, replayKey) => findEvent(session, id, replayKey),
  listEvents: (id, after, limit) => listEvents(session, id, after, limit),
  listRecentEvents: (id, limit) => listRecentEvents(session, id, limit),
  countEvents: (id, eventType, through) => countEvents(session, id, eventType, through),
  findEventOfType: (id, eventType, after) => findEventOfType(session, id, eventType, after),
  findSignal: (id, eventType) => findSignal(session, id, eventType),
  listWaiters: key => listWaiters(session, key),
  listWakeEvents: (id, after, limit) => listWakeEvents(session, id, after, limit),
  listJournal: (id, epoch) => listJournal(session, id, epoch),
  loadJournalEntry: (id, epoch, address) => loadJournalEntry(session, id, epoch, address),
  listOnceSteps: id => listOnceSteps(session, id),
  listDue: (now, limit) => listDue(session, now, limit),
  nextDue: () => nextDue(session),
  listChanges: (cursor, limit) => platform.listChanges(session, cursor, limit),
  latestChange: () => platform.latestChange(session),
  listWorkers: hostId => listWorkers(session, hostId),
  loadDrain: workerIncarnation => loadDrain(session, workerIncarnation),
  listLeasesOfWorker: workerIncarnation => listLeasesOfWorker(session, workerIncarnation),
  listOrphans: hostId => listOrphans(session, hostId),
  loadWake: wakeId => loadWake(session, wakeId),
  listOpenWakes: (group, limit) => listOpenWakes(session, group, limit),
  countOpenWakes: group => countOpenWakes(session, group),
  listWakesOf: (id, limit) => listWakesOf(session, id, limit),
  listDueWakes: (now, limit) => listDueWakes(session, now, limit),
  nextWakeDue: () => nextWakeDue(session),
  listBlockedWakes: (after, limit) => listBlockedWakes(session, after, limit),
  loadGrant: (scopeId, processId) => loadGrant(session, scopeId, processId),
  listGrants: (scopeId, options) => listGrants(session, scopeId, options),
  listGrantsOfProcess: id => listGrantsOfProcess(session, id),
  listGrantedIds: sessionId => listGrantedIds(session, sessionId),
  listWakingIds: sessionId => listWakingIds(session, sessionId),
  loadEnv: ref => loadEnv(session, ref),
  loadPendingCall: key => loadPendingCall(session, key),
  loadSession: id => loadSession(session, id),
  listSessionEntries: (id, after, limit) => listSessionEntries(session, id, after, limit),
  findLastSummary: id => findLastSummary(session, id),
  listEnded: query => listEnded(session, platform, query),
  hasDueWake: id => hasDueWake(session, id),
  isAwaited: id => isAwaited(session, id),
  loadTombstone: id => loadTombstone(session, id),
  countPlaces: (key, now, except) => countPlaces(session, key, now, except),
  countQueued: (queue, before, sinceMs, atMost) => countQueued(session, queue, before, sinceMs, atMost),
  listQueued: (queue, sinceMs, limit) => listQueued(session, queue, sinceMs, limit),
  loadRate: key => loadRate(session, key),
  listBlobs: (after, limit) => listBlobs(session, after, limit),
})

/** All of the seam's verbs. What a transaction loads it may write, so it locks it. */
export const createSqlTransaction = (session: SqlSession, platform: SqlPlatform): StoreTransaction => ({
  ...createSqlReader(session, platform),
  loadProcess: id => loadProcessForUpdate(session, id),
  loadLease: id => loadLeaseForUpdate(session, id),
  loadTombstone: id => loadTombstoneForUpdate(session, id),
  insertProcess: process => insertProcess(session, platform, process),
  saveProcess: (process, guard) => saveProcess(session, platform, process, guard),
  saveDue: (id, dueAtMs) => saveDue(session, id, dueAtMs),
  insertEvent: stored => insertEvent(session, stored),
  consumeSignal: (id, sequence) => consumeSignal(session, id, sequence),
  ackWake: (id, sequence) => ackWake(session, id, sequence),
  saveLease: (id, lease, expectedFence) => saveLease(session, id, lease, expectedFence),
  saveJournalEntry: (entry, guard) => saveJournalEntry(session, entry, guard),
  saveResolution: entry => saveResolution(session, entry),
  deleteRepeatable: (id, epoch) => deleteRepeatable(session, id, epoch),
  saveWorker: row => saveWorker(session, row),
  deleteWorker: incarnationId => deleteWorker(session, incarnationId),
  saveDrain: request => saveDrain(session, request),
  deleteDrains: beforeMs => deleteDrains(session, beforeMs),
  insertWake: wake => insertWake(session, wake),
  saveWake: (wake, expectedVersion) => saveWake(session, wake, expectedVersion),
  saveGrant: grant => saveGrant(session, grant),
  deleteGrant: (scopeId, processId) => deleteGrant(session, scopeId, processId),
  lockQueue: queue => platform.lockQueue(session, queue),
  saveRate: (key, nextMs) => saveRate(session, key, nextMs),
  deleteRates: beforeMs => deleteRates(session, beforeMs),
  insertEnv: (ref, bytes) => insertEnv(session, ref, bytes),
  insertPendingCall: (call, guard) => insertPendingCall(session, call, guard),
  saveAnswer: call => saveAnswer(session, call),
  loadSession: id => loadSessionForUpdate(session, id),
  insertSession: created => insertSession(session, created),
  saveSession: (saved, expectedVersion) => saveSession(session, saved, expectedVersion),
  insertSessionEntry: (id, entry) => insertSessionEntry(session, id, entry),
  deleteSession: id => deleteSession(session, id),
  deleteProcess: id => deleteProcess(session, id),
  insertTombstone: tombstone => insertTombstone(session, platform, tombstone),
  deleteTombstone: id => deleteTombstone(session, id),
  deleteTombstones: (before, limit) => deleteTombstones(session, before, limit),
  deleteBlobs: hashes => deleteBlobs(session, hashes),
})
