import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { MAX_INLINE_BYTES } from '../../src/model/blob.ts'
import { newLedger } from '../../src/model/budget.ts'
import { buildEvent } from '../../src/model/event.ts'
import { newGrant } from '../../src/model/grant.ts'
import type { ChangeCursor, ProcessId } from '../../src/model/ids.ts'
import { newWake } from '../../src/model/outbox.ts'
import type { Tombstone } from '../../src/model/retention.ts'
import { immediately, runSynchronously } from '../../src/registry/operation.ts'
import { SCHEMA_VERSION } from '../../src/registry/sql/migrations.ts'
import type { SqlSession } from '../../src/registry/sql/session.ts'
import { compiled, SqliteConnection } from '../../src/registry/sql/sqlite/connection.ts'
import { migrate } from '../../src/registry/sql/sqlite/migrate.ts'
import { openSqlite as openConnection } from '../../src/registry/sql/sqlite/open.ts'
import { ChangeCounter, createSqlitePlatform } from '../../src/registry/sql/sqlite/platform.ts'
import { type Named, prepare } from '../../src/registry/sql/statement.ts'
import { createSqlTransaction } from '../../src/registry/sql/verbs.ts'
import type { Operation, StoreTransaction } from '../../src/registry/store.ts'
import { approval, ID, journalEntry, leaseOf, NOW, owner, stored, wakeDelivery } from '../model/fixtures.ts'
import {
  createdSession,
  drainRequest,
  foundBy,
  guardOf,
  openSqlite,
  streamRow,
  temporaryPath,
  workerRow,
} from './store-fixtures.ts'
import { newDelivery, newTrigger } from './trigger-fixtures.ts'

async function migrated(): Promise<DatabaseSync> {
  const path = await temporaryPath()
  await openSqlite({ path })
  return new DatabaseSync(path, { readOnly: true })
}

test('the migrations make the schema that is committed beside them', async () => {
  const rows = (await migrated())
    .prepare('select sql from sqlite_schema where sql is not null order by tbl_name, type desc, name')
    .all()
  const schema = rows.map(({ sql }) => `${sql};\n`).join('\n')
  await expect(schema).toMatchFileSnapshot('../../src/registry/sql/schema.sqlite.sql')
})

test('a migration that another OS process made meanwhile is not made again', async () => {
  const path = await temporaryPath()
  const [first, second] = [new SqliteConnection(path), new SqliteConnection(path)]
  const exec = second.exec.bind(second)
  // Between the look at the version and the write lock, the other one is faster.
  second.exec = sql => {
    if (sql === 'begin immediate') migrate(first, path)
    exec(sql)
  }
  migrate(second, path)
  expect(first.isTransaction || second.isTransaction).toBe(false)
  expect(second.value('select schema_version from meta')).toBe(SCHEMA_VERSION)
})

test('a commit is on the disk before it is acknowledged', async () => {
  const connection = await openConnection(await temporaryPath(), { lockTimeoutMs: 1_000, mustExist: false })
  expect(connection.value('pragma journal_mode')).toBe('wal')
  const full = 2
  expect(connection.value('pragma synchronous')).toBe(full)
})

test('a statement is prepared once, whatever its limit: none is planned by what that is bound to', async () => {
  const statement = prepare((db, p: Named<{ limit: number }>) =>
    db.selectFrom('processes').select('id').orderBy('id').limit(p.limit),
  )
  expect(compiled(statement).sql).toBe('select "id" from "processes" order by "id" limit ? + 0')
})

describe('by its query plan', () => {
  const page = { after: '', through: 'z', limit: 10 }
  const guard = guardOf(leaseOf(owner('ana')))
  const PROCESS_ID = 'processes USING INDEX sqlite_autoindex_processes_1 (id=?)'
  const LEASE_ID = 'leases USING PRIMARY KEY (process_id=?)'
  const SESSION_ID = 'sessions USING INDEX sqlite_autoindex_sessions_1 (session_id=?)'
  const WAITING_TURNS = 'waiting_turns USING PRIMARY KEY (session_id=?)'
  const WAITING_TURN = 'waiting_turns USING PRIMARY KEY (session_id=? AND position=?)'
  const TRIGGER_ID = 'triggers USING INDEX sqlite_autoindex_triggers_1 (trigger_id=?)'
  const OCCURRENCE_ID =
    'trigger_occurrences USING INDEX sqlite_autoindex_trigger_occurrences_1 (occurrence_id=?)'
  const OCCURRENCE_OF = 'occurrence USING INDEX sqlite_autoindex_trigger_occurrences_1 (occurrence_id=?)'
  const DELIVERY_ID = 'trigger_deliveries USING INDEX sqlite_autoindex_trigger_deliveries_1 (process_id=?)'
  const trigger = newTrigger()
  const delivery = newDelivery()
  const SESSION_TOMBSTONE = 'session_tombstones USING PRIMARY KEY (session_id=?)'
  const budget = newLedger(ID, { limits: {}, within: [], sinceMs: NOW })
  const pendingCall = { key: 'k', processId: ID, openedAtMs: NOW }
  const session = createdSession('s')
  const GRANT_KEY = 'grants USING PRIMARY KEY (scope_id=?'
  const WAITS = 'waits USING PRIMARY KEY (process_id=?)'
  const EVENT_ID = 'events USING INDEX sqlite_autoindex_events_1 (process_id=?'
  const JOURNAL_BLOBS = 'journal_blobs USING PRIMARY KEY (process_id=? AND epoch=? AND address=?)'
  const JOURNAL_ID = 'journal USING PRIMARY KEY (process_id=? AND epoch=?'
  const STREAM_ID = 'stream_rows USING INDEX sqlite_autoindex_stream_rows_1 (process_id=?'

  const ENDED = 'processes USING INDEX processes_by_end ((updated_at,id)>(?,?) AND updated_at<?)'
  const TOMBSTONE_ID = 'tombstones USING PRIMARY KEY (id=?)'
  const ended = {
    before: NOW,
    filter: { status: 'any' },
    after: { updatedAtMs: 0, id: '' },
    limit: 10,
  } as const
  const tombstone: Tombstone = { id: ID, status: 'failed', prunedAtMs: NOW, fence: 1, lastSequence: 1 }
  const wake = newWake(wakeDelivery(), true, NOW)
  const large = { eventType: 'note', payload: 'x'.repeat(2 * MAX_INLINE_BYTES) }
  const largeEvent = buildEvent({ id: ID, lastSequence: 0 }, large, NOW)

  const searches: [string, (tx: StoreTransaction) => Operation<unknown>, readonly string[]][] = [
    ['loadProcess', tx => tx.loadProcess(ID), [PROCESS_ID]],
    ['loadLease', tx => tx.loadLease(ID), [LEASE_ID]],
    [
      'listProcesses of a status',
      tx => tx.listProcesses({ identityKind: 'survey', waiting: true, silent: false }, page),
      ['processes USING INDEX processes_by_status (status=? AND id>? AND id<?)'],
    ],
    [
      'listProcesses, the first page',
      tx => tx.listProcesses({}, { after: '', limit: 10 }),
      ['processes USING INDEX processes_by_status (status=? AND id>?)'],
    ],
    [
      'listProcesses of any status',
      tx => tx.listProcesses({ status: 'any' }, page),
      ['processes USING INDEX sqlite_autoindex_processes_1 (id>? AND id<?)'],
    ],
    [
      'listProcesses of an originator',
      tx => tx.listProcesses({ originatorScopeId: 'session:s' }, page),
      ['processes USING INDEX processes_by_originator (originator_scope=? AND id>? AND id<?)'],
    ],
    [
      'listProcesses of an occurrence',
      tx => tx.listProcesses({ causedByOccurrenceId: 'o' }, page),
      ['processes USING INDEX processes_by_occurrence (occurrence_id=? AND id>? AND id<?)'],
    ],
    [
      'listProcesses of a subscription',
      tx => tx.listProcesses({ causedBySubscriptionId: 'u', originatorScopeId: 'host' }, page),
      ['processes USING INDEX processes_by_subscription (subscription_id=? AND id>? AND id<?)'],
    ],
    [
      'listRegistered',
      tx => tx.listRegistered(['a' as ProcessId]),
      [
        'processes USING COVERING INDEX sqlite_autoindex_processes_1 (id=?)',
        'tombstones USING PRIMARY KEY (id=?)',
      ],
    ],
    [
      'countLiveReferences',
      tx => tx.countLiveReferences(),
      ['processes USING INDEX processes_by_status (status=?)'],
    ],
    [
      'findEvent',
      tx => tx.findEvent(ID, 'key'),
      ['events USING INDEX events_by_replay_key (process_id=? AND replay_key=?)'],
    ],
    ['listEvents', tx => tx.listEvents(ID, 0, 10), [`${EVENT_ID} AND sequence>?)`]],
    ['listRecentEvents', tx => tx.listRecentEvents(ID, 10), [`${EVENT_ID})`]],
    [
      'countEvents',
      tx => tx.countEvents(ID, 'note', 9),
      ['events USING COVERING INDEX events_by_type (process_id=? AND event_type=? AND sequence<?)'],
    ],
    [
      'listWakeEvents',
      tx => tx.listWakeEvents(ID, 0, 10),
      ['events USING INDEX events_by_unacked_wake (process_id=? AND sequence>?)'],
    ],
    [
      'findEventOfType',
      tx => tx.findEventOfType(ID, 'note', 0),
      ['events USING INDEX events_by_type (process_id=? AND event_type=? AND sequence>?)'],
    ],
    [
      'findSignal',
      tx => tx.findSignal(ID, 'signal.go'),
      ['events USING INDEX events_by_unconsumed_signal (process_id=? AND event_type=?)'],
    ],
    ['consumeSignal', tx => tx.consumeSignal(ID, 1), [`${EVENT_ID} AND sequence=?)`]],
    [
      'listWaiters',
      tx => tx.listWaiters(['key', 'other']),
      ['waits USING COVERING INDEX waits_by_awaited (awaited=?)'],
    ],
    ['ackWake', tx => tx.ackWake(ID, 1), [`${EVENT_ID} AND sequence=?)`]],
    ['listJournal', tx => tx.listJournal(ID, 0), [`${JOURNAL_ID})`]],
    ['loadJournalEntry', tx => tx.loadJournalEntry(ID, 0, 'a'), [`${JOURNAL_ID} AND address=?)`]],
    [
      'listStreamRows',
      tx => tx.listStreamRows(ID, 'text', 3, 10),
      [`${STREAM_ID} AND channel=? AND to_offset>?)`],
    ],
    ['listStreamHeads', tx => tx.listStreamHeads(ID), [`${STREAM_ID})`.replace('USING', 'USING COVERING')]],
    [
      'listOutsideRows',
      tx => tx.listOutsideRows(ID, 0),
      ['stream_rows USING INDEX stream_rows_outside (process_id=? AND epoch=?)'],
    ],
    [
      'listStepSpans',
      tx => tx.listStepSpans(ID, 0),
      [
        'stream_rows USING INDEX stream_rows_of_steps (process_id=? AND epoch=? AND attempt=?)',
        'spoken USING INDEX stream_rows_of_steps (process_id=? AND epoch=?)',
      ],
    ],
    [
      'insertStreamRow',
      tx => tx.insertStreamRow(streamRow(), guard),
      [LEASE_ID, 'before USING COVERING INDEX sqlite_autoindex_stream_rows_1 (process_id=? AND channel=?)'],
    ],
    ['listDue', tx => tx.listDue(NOW, 10), ['processes USING INDEX processes_by_due (due_at<?)']],
    ['listSubmitted', tx => tx.listSubmitted(10), ['processes USING INDEX processes_by_due (due_at>?)']],
    ['nextDue', tx => tx.nextDue(), ['processes USING COVERING INDEX processes_by_due (due_at>?)']],
    [
      'listChanges',
      tx => tx.listChanges('' as ChangeCursor, 10),
      [
        'processes USING INDEX processes_by_change (change_seq>?)',
        'tombstones USING INDEX tombstones_by_change (change_seq>?)',
      ],
    ],
    ['listWorkers', tx => tx.listWorkers('host'), ['workers USING INDEX workers_by_host (host_id=?)']],
    [
      'listLeasesOfWorker',
      tx => tx.listLeasesOfWorker('worker'),
      ['leases USING INDEX leases_by_worker (worker_incarnation=?)'],
    ],
    [
      'listOrphans',
      tx => tx.listOrphans('host'),
      ['leases USING INDEX leases_by_dead_host (dead_host_id=?)'],
    ],
    ['loadWake', tx => tx.loadWake('wake'), ['wakes USING INDEX sqlite_autoindex_wakes_1 (wake_id=?)']],
    [
      'listOpenWakes',
      tx => tx.listOpenWakes({ sessionId: 's', processId: ID }, 10),
      ['wakes USING INDEX wakes_by_group (target_session=? AND process_id=?)'],
    ],
    [
      'countOpenWakes',
      tx => tx.countOpenWakes({ sessionId: 's', processId: ID }),
      ['wakes USING INDEX wakes_by_group (target_session=? AND process_id=?)'],
    ],
    ['listWakesOf', tx => tx.listWakesOf(ID, 10), ['wakes USING INDEX wakes_by_process (process_id=?)']],
    ['listDueWakes', tx => tx.listDueWakes(NOW, 10), ['wakes USING INDEX wakes_by_due (due_at<?)']],
    [
      'listWakesClaimedBy',
      tx => tx.listWakesClaimedBy('life'),
      ['wakes USING INDEX wakes_by_claimer (claimed_by=?)'],
    ],
    ['nextWakeDue', tx => tx.nextWakeDue(), ['wakes USING COVERING INDEX wakes_by_due (due_at>?)']],
    ['listBlockedWakes', tx => tx.listBlockedWakes('', 10), ['wakes USING INDEX wakes_by_block (wake_id>?)']],
    ['insertWake', tx => tx.insertWake(wake), []],
    ['saveWake', tx => tx.saveWake(wake, 1), ['wakes USING INDEX sqlite_autoindex_wakes_1 (wake_id=?)']],
    ['loadGrant', tx => tx.loadGrant('s', ID), [`${GRANT_KEY} AND process_id=?)`]],
    ['listGrants', tx => tx.listGrants('s', { isLive: false }), [`${GRANT_KEY})`, PROCESS_ID]],
    [
      'listGrants of live rows',
      tx => tx.listGrants('s', { isLive: true }),
      [`${GRANT_KEY})`, 'processes USING INDEX processes_by_status (status=? AND id=?)'],
    ],
    [
      'listGrantsOfProcess',
      tx => tx.listGrantsOfProcess(ID),
      ['grants USING INDEX grants_by_process (process_id=?)'],
    ],
    [
      'listGrantedIds',
      tx => tx.listGrantedIds('s'),
      ['grants USING COVERING INDEX grants_by_session (session_id=?)'],
    ],
    [
      'listWakingIds',
      tx => tx.listWakingIds('s'),
      ['processes USING COVERING INDEX processes_by_wake_session (wake_session=?)'],
    ],
    ['saveGrant', tx => tx.saveGrant(newGrant({ sessionId: 's' }, ID)), []],
    ['deleteGrant', tx => tx.deleteGrant('s', ID), [`${GRANT_KEY} AND process_id=?)`]],
    ['listEnded', tx => tx.listEnded(ended), [ENDED]],
    [
      'listEnded of one originator, status and occurrence, up to a change',
      tx => {
        const filter = { status: 'failed', originatorScopeId: 'host', causedByOccurrenceId: 'o' } as const
        return tx.listEnded({ ...ended, filter, upTo: '' as ChangeCursor })
      },
      [ENDED],
    ],
    ['hasDueWake', tx => tx.hasDueWake(ID), ['wakes USING INDEX wakes_by_process (process_id=?)']],
    ['countPlaces', tx => tx.countPlaces('k', NOW), ['leases USING INDEX leases_by_place (place=?)']],
    [
      'countQueued',
      tx => tx.countQueued('rate:k', { priority: 3, createdAtMs: NOW, id: ID }, NOW, 9),
      ['processes USING INDEX processes_by_turn (turn=? AND (priority,created_at,id)<(?,?,?))'],
    ],
    [
      'listQueued',
      tx => tx.listQueued('rate:k', NOW, 10),
      ['processes USING INDEX processes_by_turn (turn=?)'],
    ],
    ['countLive', tx => tx.countLive(), ['processes USING INDEX processes_by_status (status=?)']],
    [
      'earliestWakeExpiry',
      tx => tx.earliestWakeExpiry(),
      ['wakes USING INDEX wakes_by_expiry (expires_at>?)'],
    ],
    ['loadRate', tx => tx.loadRate('k'), ['rates USING INDEX sqlite_autoindex_rates_1 (key=?)']],
    ['saveRate', tx => tx.saveRate('k', NOW), []],
    [
      'deleteRates',
      tx => tx.deleteRates(NOW),
      [
        'rates USING INDEX rates_by_next_at (next_at<?)',
        'rates USING COVERING INDEX sqlite_autoindex_rates_1 (key=?)',
      ],
    ],
    [
      'isAwaited',
      tx => tx.isAwaited(ID),
      ['waits USING COVERING INDEX waits_by_awaited_process (awaited_process=?)'],
    ],
    [
      'deleteSession',
      tx => tx.deleteSession('s'),
      [
        'sessions USING INDEX sqlite_autoindex_sessions_1 (session_id=?)',
        'session_entries USING COVERING INDEX sqlite_autoindex_session_entries_1 (session_id=?)',
        'session_blobs USING PRIMARY KEY (session_id=?)',
        'waiting_turns USING PRIMARY KEY (session_id=?)',
      ],
    ],
    ['loadTrigger', tx => tx.loadTrigger('a'), [TRIGGER_ID]],
    [
      'listTriggers',
      tx => tx.listTriggers('', 10),
      ['triggers USING INDEX sqlite_autoindex_triggers_1 (trigger_id>?)'],
    ],
    [
      'listTriggersOf',
      tx => tx.listTriggersOf('push'),
      ['triggers USING INDEX triggers_by_event (listens_to=?)'],
    ],
    [
      'listDueTriggers',
      tx => tx.listDueTriggers(NOW, 10),
      ['triggers USING INDEX triggers_by_due (next_at<?)'],
    ],
    [
      'nextTriggerDue',
      tx => tx.nextTriggerDue(),
      ['triggers USING COVERING INDEX triggers_by_due (next_at>?)'],
    ],
    ['insertTrigger', tx => tx.insertTrigger(trigger), []],
    ['saveTrigger', tx => tx.saveTrigger(trigger, 1), [TRIGGER_ID]],
    ['deleteTrigger', tx => tx.deleteTrigger('a'), [TRIGGER_ID]],
    ['loadOccurrence', tx => tx.loadOccurrence('o'), [OCCURRENCE_ID]],
    ['insertOccurrence', tx => tx.insertOccurrence(delivery.occurrence), []],
    [
      'loadDelivery',
      tx => tx.loadDelivery('p'),
      ['delivery USING INDEX sqlite_autoindex_trigger_deliveries_1 (process_id=?)', OCCURRENCE_OF],
    ],
    [
      'listDeliveries',
      tx => tx.listDeliveries('o'),
      ['delivery USING INDEX trigger_deliveries_by_occurrence (occurrence_id=?)', OCCURRENCE_OF],
    ],
    [
      'listDueDeliveries',
      tx => tx.listDueDeliveries(NOW, 10),
      ['delivery USING INDEX trigger_deliveries_by_due (due_at<?)', OCCURRENCE_OF],
    ],
    [
      'nextDeliveryDue',
      tx => tx.nextDeliveryDue(),
      ['trigger_deliveries USING COVERING INDEX trigger_deliveries_by_due (due_at>?)'],
    ],
    ['insertDelivery', tx => tx.insertDelivery(delivery), []],
    ['saveDelivery', tx => tx.saveDelivery(delivery, 1), [DELIVERY_ID]],
    ['deleteDelivery', tx => tx.deleteDelivery('p'), [DELIVERY_ID]],
    [
      'deleteOccurrences',
      tx => tx.deleteOccurrences(NOW),
      [
        'delivery USING INDEX trigger_deliveries_by_occurrence (occurrence_id=?)',
        'trigger_deliveries USING COVERING INDEX trigger_deliveries_by_occurrence (occurrence_id=?)',
        'trigger_occurrences USING INDEX trigger_occurrences_by_age (occurred_at<?)',
      ],
    ],
    ['listWaitingTurns', tx => tx.listWaitingTurns('s'), [WAITING_TURNS]],
    ['insertWaitingTurn', tx => tx.insertWaitingTurn('s', { position: 1, turnId: 't' }), []],
    ['deleteWaitingTurn', tx => tx.deleteWaitingTurn('s', 1), [WAITING_TURN]],
    ['hasSessionTombstone', tx => tx.hasSessionTombstone('s'), [SESSION_TOMBSTONE]],
    ['insertSessionTombstone', tx => tx.insertSessionTombstone('s', NOW), []],
    ['deleteSessionTombstone', tx => tx.deleteSessionTombstone('s'), [SESSION_TOMBSTONE]],
    [
      'deleteSessionTombstones',
      tx => tx.deleteSessionTombstones(NOW),
      ['session_tombstones USING COVERING INDEX session_tombstones_by_age (deleted_at<?)'],
    ],
    ['loadTombstone', tx => tx.loadTombstone(ID), [TOMBSTONE_ID]],
    ['insertTombstone', tx => tx.insertTombstone(tombstone), []],
    ['deleteTombstone', tx => tx.deleteTombstone(ID), [TOMBSTONE_ID]],
    [
      'deleteTombstones',
      tx => tx.deleteTombstones(NOW, 10),
      [TOMBSTONE_ID, 'old USING COVERING INDEX tombstones_by_age (pruned_at<?)'],
    ],
    [
      'deleteProcess',
      tx => tx.deleteProcess(ID),
      [
        PROCESS_ID,
        LEASE_ID,
        // What goes with the row.
        'budgets USING PRIMARY KEY (process_id=?)',
        'events USING COVERING INDEX sqlite_autoindex_events_1 (process_id=?)',
        'grants USING INDEX grants_by_process (process_id=?)',
        'journal USING PRIMARY KEY (process_id=?)',
        'process_blobs USING PRIMARY KEY (process_id=?)',
        'pending_calls USING INDEX pending_calls_by_process (process_id=?)',
        `${STREAM_ID})`.replace('USING', 'USING COVERING'),
        WAITS,
        'wakes USING COVERING INDEX wakes_by_process (process_id=?)',
      ],
    ],
    ['loadPendingCall', tx => tx.loadPendingCall('k'), ['pending_calls USING PRIMARY KEY (key=?)']],
    ['insertPendingCall', tx => tx.insertPendingCall(pendingCall, guard), [LEASE_ID]],
    ['saveAnswer', tx => tx.saveAnswer(pendingCall), ['pending_calls USING PRIMARY KEY (key=?)']],
    ['loadBudget', tx => tx.loadBudget(ID), ['budgets USING PRIMARY KEY (process_id=?)']],
    ['saveBudget', tx => tx.saveBudget(budget, budget), ['budgets USING PRIMARY KEY (process_id=?)']],
    [
      'saveApproval',
      tx => tx.saveApproval({ ...pendingCall, approval }, approval),
      ['pending_calls USING PRIMARY KEY (key=?)'],
    ],
    [
      'listOpenApprovals',
      tx => tx.listOpenApprovals({ limit: 10 }),
      [
        'pending_calls USING INDEX pending_calls_by_approval (opened_at>?)',
        'processes USING COVERING INDEX processes_by_status (status=? AND id=?)',
      ],
    ],
    [
      'listOpenApprovals of one process',
      tx => tx.listOpenApprovals({ processId: ID, limit: 10 }),
      [
        'pending_calls USING INDEX pending_calls_by_process (process_id=?)',
        'processes USING COVERING INDEX processes_by_status (status=? AND id=?)',
      ],
    ],
    ['loadSession', tx => tx.loadSession('s'), [SESSION_ID]],
    ['saveSession', tx => tx.saveSession(session, 1), [SESSION_ID]],
    [
      'listSessionEntries',
      tx => tx.listSessionEntries('s', 0, 10),
      ['session_entries USING INDEX sqlite_autoindex_session_entries_1 (session_id=? AND position>?)'],
    ],
    [
      'findLastSummary',
      tx => tx.findLastSummary('s'),
      ['session_entries USING COVERING INDEX session_entries_by_summary (session_id=?)'],
    ],
    ['loadEnv', tx => tx.loadEnv('ref'), ['envs USING INDEX sqlite_autoindex_envs_1 (ref=?)']],
    [
      'listBlobs',
      tx => tx.listBlobs('', 10),
      [
        'blobs USING COVERING INDEX sqlite_autoindex_blobs_1 (hash>?)',
        'process_blobs USING COVERING INDEX process_blobs_by_hash (hash=?)',
        'journal_blobs USING COVERING INDEX journal_blobs_by_hash (hash=?)',
        'session_blobs USING COVERING INDEX session_blobs_by_hash (hash=?)',
      ],
    ],
    [
      'deleteBlobs',
      tx => tx.deleteBlobs(['hash']),
      [
        'blobs USING COVERING INDEX sqlite_autoindex_blobs_1 (hash=?)',
        'blobs USING INDEX sqlite_autoindex_blobs_1 (hash=?)',
        'process_blobs USING COVERING INDEX process_blobs_by_hash (hash=?)',
        'journal_blobs USING COVERING INDEX journal_blobs_by_hash (hash=?)',
        'session_blobs USING COVERING INDEX session_blobs_by_hash (hash=?)',
      ],
    ],
    [
      'insertEvent of a large payload',
      tx => tx.insertEvent(largeEvent),
      ['blobs USING COVERING INDEX sqlite_autoindex_blobs_1 (hash=?)'],
    ],
    [
      'saveJournalEntry of a large value',
      tx => tx.saveJournalEntry(journalEntry({ value: large.payload }), guard),
      [LEASE_ID, PROCESS_ID, 'blobs USING COVERING INDEX sqlite_autoindex_blobs_1 (hash=?)', JOURNAL_BLOBS],
    ],
    ['saveProcess', tx => tx.saveProcess(stored(), { status: 'any' }), [PROCESS_ID, WAITS]],
    [
      'saveProcess under a lease',
      tx => tx.saveProcess(stored(), { status: 'running', lease: guard }),
      [PROCESS_ID, LEASE_ID, WAITS],
    ],
    ['saveDue', tx => tx.saveDue(ID, NOW), [PROCESS_ID]],
    ['saveLease', tx => tx.saveLease(ID, { fence: 2 }, 1), [LEASE_ID]],
    [
      'saveJournalEntry',
      tx => tx.saveJournalEntry(journalEntry(), guard),
      [LEASE_ID, PROCESS_ID, JOURNAL_BLOBS],
    ],
    ['listOnceSteps', tx => tx.listOnceSteps(ID), ['journal USING INDEX journal_by_once (process_id=?)']],
    [
      'saveResolution',
      tx => tx.saveResolution(journalEntry()),
      ['journal USING PRIMARY KEY (process_id=? AND epoch=? AND address=?)'],
    ],
    ['deleteRepeatable', tx => tx.deleteRepeatable(ID, 1), [`${JOURNAL_ID})`, JOURNAL_BLOBS]],
    ['saveWorker', tx => tx.saveWorker(workerRow('ana')), []],
    [
      'loadDrain',
      tx => tx.loadDrain('ana'),
      ['drains USING INDEX sqlite_autoindex_drains_1 (worker_incarnation=?)'],
    ],
    ['saveDrain', tx => tx.saveDrain(drainRequest('ana')), []],
    ['deleteWorker', tx => tx.deleteWorker('ana'), ['workers USING PRIMARY KEY (incarnation_id=?)']],
  ]

  test.each(searches)('%s searches and never scans', async (_, verb, expected) => {
    const database = await migrated()
    const found = new Set<string>()
    const explain = (sql: string) => {
      for (const { detail } of database.prepare(`explain query plan ${sql}`).all()) {
        // The meta table has one row, a constant is no table, and what joins several searches is none.
        const joins =
          /^(COMPOUND QUERY|LEFT-MOST SUBQUERY|UNION ALL|MERGE \(UNION ALL\)|LEFT|RIGHT|LIST SUBQUERY \d+)$/
        if (
          !/^SCAN (meta|CONSTANT ROW)|^(CORRELATED )?SCALAR SUBQUERY|^USE TEMP B-TREE/.test(String(detail)) &&
          !joins.test(String(detail))
        )
          found.add(String(detail).replace(' EXISTS', ''))
      }
    }
    // Every statement is explained in place of being run.
    const explaining: SqlSession = {
      withoutWaits: new Set(),
      writesNamedIndexes: true,
      all: statement =>
        immediately(() => {
          const { sql } = compiled(statement)
          explain(sql)
          return foundBy(sql)
        }),
      seldom: (statement, params) => explaining.all(statement, params),
      send: statement => immediately(() => explain(compiled(statement).sql)),
      save: statement =>
        immediately(() => {
          explain(compiled(statement).sql)
          return true
        }),
      run: statement =>
        immediately(() => {
          explain(compiled(statement).sql)
          return 1
        }),
    }
    runSynchronously(
      verb(
        createSqlTransaction(
          explaining,
          createSqlitePlatform({ registryId: 'registry', clock: () => NOW, changes: new ChangeCounter() }),
        ),
      ),
    )
    expect([...found].toSorted()).toEqual(expected.map(search => `SEARCH ${search}`).toSorted())
  })
})
