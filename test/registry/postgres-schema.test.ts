import { describe, expect, inject, test } from 'vitest'
import { MAX_INLINE_BYTES } from '../../src/model/blob.ts'
import { buildEvent } from '../../src/model/event.ts'
import { newGrant } from '../../src/model/grant.ts'
import type { ChangeCursor } from '../../src/model/ids.ts'
import { newWake } from '../../src/model/outbox.ts'
import type { Tombstone } from '../../src/model/retention.ts'
import { runAsynchronously } from '../../src/registry/operation.ts'
import { MIGRATIONS, SCHEMA_VERSION } from '../../src/registry/sql/migrations.ts'
import { createHeldBackWatch } from '../../src/registry/sql/postgres/held-back.ts'
import { createPostgresPlatform } from '../../src/registry/sql/postgres/platform.ts'
import { RecentRows } from '../../src/registry/sql/postgres/recent-rows.ts'
import { RowNotes } from '../../src/registry/sql/postgres/row-notes.ts'
import { ServerClock } from '../../src/registry/sql/postgres/server-clock.ts'
import { PostgresStatements } from '../../src/registry/sql/postgres/statements.ts'
import { createPostgresStore } from '../../src/registry/sql/postgres-store.ts'
import { toLeaseRow } from '../../src/registry/sql/rows/lease-row.ts'
import { toMutableColumns, toRegistrationColumns } from '../../src/registry/sql/rows/process-row.ts'
import type { SqlSession } from '../../src/registry/sql/session.ts'
import type { Statement } from '../../src/registry/sql/statement.ts'
import { createSqlTransaction } from '../../src/registry/sql/verbs.ts'
import type { Operation, StoreTransaction } from '../../src/registry/store.ts'
import { errorWith, ID, journalEntry, leaseOf, NOW, owner, stored, wakeDelivery } from '../model/fixtures.ts'
import { connect, createDatabase, openPostgres, randomName } from './postgres-fixtures.ts'
import { describeSchema } from './postgres-schema.ts'
import { spawnPostgresChild } from './spawn-child.ts'
import { drainRequest, foundBy, guardOf, insert, load, streamRow, workerRow } from './store-fixtures.ts'
import { newDelivery, newTrigger } from './trigger-fixtures.ts'

const url = inject('postgresUrl')

test('the migrations make the schema that is committed beside them', async () => {
  const schema = randomName()
  await openPostgres({ schema })
  const described = await describeSchema(await connect(url), schema)
  await expect(described).toMatchFileSnapshot('../../src/registry/sql/schema.postgres.sql')
})

describe('opening', () => {
  test('eight OS processes open an empty database at once: one makes the registry and all write', async () => {
    const connectionString = await createDatabase()
    const children = Array.from({ length: 8 }, () => spawnPostgresChild('open and write', connectionString))
    await Promise.all(children.map(child => child.nextLine()))
    for (const child of children) child.tellToGoOn()
    const registryIds = await Promise.all(children.map(child => child.nextLine()))
    const store = await openPostgres({ connectionString, schema: 'leasehold' })
    expect(new Set(registryIds)).toEqual(new Set([store.registryId]))
    const rows = await store.read(tx =>
      tx.listProcesses({ status: 'any' }, { after: '', through: 'z', limit: 100 }),
    )
    expect(rows.map(({ id }) => id)).toEqual(children.map(({ pid }) => `pid ${pid}`).toSorted())
  })

  test('one that is killed in the middle of a migration leaves nothing behind', async () => {
    const connectionString = await createDatabase()
    const child = spawnPostgresChild('hang in the first migration', connectionString)
    expect(await child.nextLine()).toBe('migrating')
    await child.kill()
    const store = await openPostgres({ connectionString, schema: 'leasehold' })
    await insert(store)
    const client = await connect(connectionString)
    const { rows } = await client.query('select schema_version from leasehold.meta')
    expect(rows).toEqual([{ schema_version: String(SCHEMA_VERSION) }])
  })

  test('makes no registry for whoever only looks', async () => {
    const connectionString = await createDatabase()
    const opening = createPostgresStore({ connectionString, mustExist: true })
    await expect(opening).rejects.toThrow(errorWith('registry_unavailable'))
    const client = await connect(connectionString)
    const { rows } = await client.query(`select to_regnamespace('leasehold') as schema`)
    expect(rows).toEqual([{ schema: null }])
  })

  test('refuses a registry of a newer version, and names both', async () => {
    const schema = randomName()
    await (await openPostgres({ schema })).close()
    const client = await connect(url)
    await client.query(`update ${schema}.meta set schema_version = 99`)
    const opening = createPostgresStore({ connectionString: url, schema })
    await expect(opening).rejects.toThrow(errorWith('registry_newer'))
    await expect(opening).rejects.toMatchObject({ details: { found: 99, known: MIGRATIONS.length } })
  })

  test.each([
    ['another program’s meta table', 'create table meta (version text)'],
    ['another program’s table of a name of ours', 'create table events (id text)'],
  ])('refuses a schema with %s, and changes nothing in it', async (_, statement) => {
    const schema = randomName()
    const client = await connect(url)
    await client.query(`create schema ${schema}; set search_path to ${schema}; ${statement}`)
    const before = await describeSchema(client, schema)
    const opening = createPostgresStore({ connectionString: url, schema })
    await expect(opening).rejects.toThrow(errorWith('registry_corrupt'))
    expect(await describeSchema(client, schema)).toBe(before)
  })

  test('works for a user who may make no schema, in one that is there', async () => {
    const connectionString = await createDatabase()
    const admin = await connect(connectionString)
    const role = randomName()
    await admin.query(`
      create role ${role} login password 'secret';
      create schema leasehold authorization ${role}`)
    const address = new URL(connectionString)
    address.username = role
    address.password = 'secret'
    const store = await openPostgres({ connectionString: address.href, schema: 'leasehold' })
    await insert(store)
    expect(await load(store)).toBeDefined()
  })

  test('keeps registries in two schemas apart, whatever their names hold', async () => {
    const [one, two] = [`${randomName()} "Quoted"; --`, randomName()]
    const store = await openPostgres({ schema: one })
    await insert(store)
    expect(await load(await openPostgres({ schema: two }))).toBeUndefined()
    expect(await load(await openPostgres({ schema: one }))).toBeDefined()
  })
})

describe('by its query plan', () => {
  const page = { after: '', through: 'z', limit: 10 }
  const guard = guardOf(leaseOf(owner('ana')))
  const wake = newWake(wakeDelivery(), true, NOW)
  const ended = {
    before: NOW,
    filter: { status: 'any' },
    after: { updatedAtMs: 0, id: '' },
    limit: 10,
  } as const
  const tombstone: Tombstone = { id: ID, status: 'failed', prunedAtMs: NOW, fence: 1, lastSequence: 1 }
  const ENDED = 'processes_by_end (updated_at < $ and ROW(updated_at, id) > ROW($, $))'
  const TRIGGER_ID = 'triggers_pkey (trigger_id = $)'
  const OCCURRENCE_ID = 'trigger_occurrences_pkey (occurrence_id = $)'
  const OCCURRENCE_OF = 'trigger_occurrences_pkey (occurrence_id = delivery.occurrence_id)'
  const DELIVERY_ID = 'trigger_deliveries_pkey (process_id = $)'
  const trigger = newTrigger()
  const delivery = newDelivery()
  const TOMBSTONE_ID = 'tombstones_pkey (id = $)'
  const large = { eventType: 'note', payload: 'x'.repeat(2 * MAX_INLINE_BYTES) }
  const largeEvent = buildEvent({ id: ID, lastSequence: 0 }, large, NOW)
  const PROCESS_ID = 'processes_pkey (id = $)'
  const LEASE_ID = 'leases_pkey (process_id = $)'
  const WAITS = 'waits_pkey (process_id = $)'

  const searches: [string, (tx: StoreTransaction) => Operation<unknown>, readonly string[]][] = [
    ['loadProcess', tx => tx.loadProcess(ID), [PROCESS_ID]],
    ['loadLease', tx => tx.loadLease(ID), [LEASE_ID]],
    [
      'listProcesses of a status',
      tx => tx.listProcesses({ identityKind: 'survey', waiting: true, silent: false }, page),
      ['processes_live (id > $ and id <= $)'],
    ],
    [
      'listProcesses of a status that is an end',
      tx => tx.listProcesses({ status: 'failed' }, page),
      ['processes_by_status (status = $ and id > $ and id <= $)'],
    ],
    [
      'listProcesses, the first page',
      tx => tx.listProcesses({}, { after: '', limit: 10 }),
      ['processes_live (id > $)'],
    ],
    [
      'listProcesses of any status',
      tx => tx.listProcesses({ status: 'any' }, page),
      ['processes_pkey (id > $ and id <= $)'],
    ],
    [
      'listProcesses of an originator',
      tx => tx.listProcesses({ originatorScopeId: 'session:s', status: 'any' }, page),
      ['processes_by_originator (originator_scope = $ and id > $ and id <= $)'],
    ],
    [
      'listProcesses of an occurrence',
      tx => tx.listProcesses({ causedByOccurrenceId: 'o', status: 'any' }, page),
      ['processes_by_occurrence (occurrence_id = $ and id > $ and id <= $)'],
    ],
    [
      'listProcesses of a subscription',
      tx => tx.listProcesses({ causedBySubscriptionId: 'u', status: 'any' }, page),
      ['processes_by_subscription (subscription_id = $ and id > $ and id <= $)'],
    ],
    ['greatestId', tx => tx.greatestId(), ['processes_pkey']],
    ['listRegistered', tx => tx.listRegistered([ID]), [PROCESS_ID, TOMBSTONE_ID]],
    ['countLiveReferences', tx => tx.countLiveReferences(), ['processes_live', 'Sort']],
    ['loadGrant', tx => tx.loadGrant('s', ID), ['grants_pkey (scope_id = $ and process_id = $)']],
    [
      'listGrants',
      tx => tx.listGrants('s', { isLive: false }),
      ['grants_pkey (scope_id = $)', 'processes_pkey (id = grants.process_id)'],
    ],
    ['listGrantsOfProcess', tx => tx.listGrantsOfProcess(ID), ['grants_by_process (process_id = $)']],
    ['listGrantedIds', tx => tx.listGrantedIds('s'), ['grants_by_session (session_id = $)']],
    ['listWakingIds', tx => tx.listWakingIds('s'), ['processes_by_wake_session (wake_session = $)']],
    ['saveGrant', tx => tx.saveGrant(newGrant({ sessionId: 's' }, ID)), []],
    ['deleteGrant', tx => tx.deleteGrant('s', ID), ['grants_pkey (scope_id = $ and process_id = $)']],
    [
      'findEvent',
      tx => tx.findEvent(ID, 'key'),
      ['events_by_replay_key (process_id = $ and replay_key = $)'],
    ],
    ['listEvents', tx => tx.listEvents(ID, 0, 10), ['events_pkey (process_id = $ and sequence > $)']],
    ['listRecentEvents', tx => tx.listRecentEvents(ID, 10), ['events_pkey (process_id = $)']],
    [
      'countEvents',
      tx => tx.countEvents(ID, 'note', 9),
      ['events_by_type (process_id = $ and event_type = $ and sequence <= $)'],
    ],
    [
      'findEventOfType',
      tx => tx.findEventOfType(ID, 'note', 0),
      ['events_by_type (process_id = $ and event_type = $ and sequence > $)'],
    ],
    [
      'findSignal',
      tx => tx.findSignal(ID, 'signal.go'),
      ['events_by_unconsumed_signal (process_id = $ and event_type = $)'],
    ],
    [
      'consumeSignal',
      tx => tx.consumeSignal(ID, 1),
      ['events_by_unconsumed_signal (process_id = $ and sequence = $)'],
    ],
    [
      'listWakeEvents',
      tx => tx.listWakeEvents(ID, 0, 10),
      ['events_by_unacked_wake (process_id = $ and sequence > $)'],
    ],
    ['ackWake', tx => tx.ackWake(ID, 1), ['events_by_unacked_wake (process_id = $ and sequence = $)']],
    [
      'listWaiters',
      tx => tx.listWaiters(['key', 'other']),
      ['waits_by_awaited (awaited = ANY (ARRAY[$, $]))'],
    ],
    ['loadWake', tx => tx.loadWake('wake'), ['wakes_pkey (wake_id = $)']],
    [
      'listOpenWakes',
      tx => tx.listOpenWakes({ sessionId: 's', processId: ID }, 10),
      ['wakes_by_group (target_session = $ and process_id = $)'],
    ],
    [
      'countOpenWakes',
      tx => tx.countOpenWakes({ sessionId: 's', processId: ID }),
      ['wakes_by_group (target_session = $ and process_id = $)'],
    ],
    ['listWakesOf', tx => tx.listWakesOf(ID, 10), ['wakes_by_process (process_id = $)']],
    ['listDueWakes', tx => tx.listDueWakes(NOW, 10), ['wakes_by_due (due_at <= $)']],
    ['listWakesClaimedBy', tx => tx.listWakesClaimedBy('life'), ['wakes_by_claimer (claimed_by = $)']],
    ['nextWakeDue', tx => tx.nextWakeDue(), ['wakes_by_due']],
    ['listBlockedWakes', tx => tx.listBlockedWakes('', 10), ['wakes_by_block (wake_id > $)']],
    ['insertWake', tx => tx.insertWake(wake), []],
    ['saveWake', tx => tx.saveWake(wake, 1), ['wakes_pkey (wake_id = $)']],
    [
      'loadJournalEntry',
      tx => tx.loadJournalEntry(ID, 0, 'a'),
      ['journal_pkey (process_id = $ and epoch = $ and address = $)'],
    ],
    ['listJournal', tx => tx.listJournal(ID, 0), ['journal_pkey (process_id = $ and epoch = $)', 'Sort']],
    [
      'listStreamRows',
      tx => tx.listStreamRows(ID, 'text', 3, 10),
      ['stream_rows_pkey (process_id = $ and channel = $ and to_offset > $)'],
    ],
    ['listStreamHeads', tx => tx.listStreamHeads(ID), ['stream_rows_pkey (process_id = $)']],
    [
      'listOutsideRows',
      tx => tx.listOutsideRows(ID, 0),
      ['stream_rows_outside (process_id = $ and epoch = $)'],
    ],
    [
      'listStepSpans',
      tx => tx.listStepSpans(ID, 0),
      [
        'stream_rows_of_steps (process_id = $ and epoch = $)',
        'stream_rows_of_steps (process_id = $ and epoch = $ and attempt = $)',
      ],
    ],
    [
      'insertStreamRow',
      tx => tx.insertStreamRow(streamRow(), guard),
      [LEASE_ID, 'stream_rows_pkey (process_id = $ and channel = $)'],
    ],
    ['listDue', tx => tx.listDue(NOW, 10), ['processes_by_due (due_at <= $)']],
    ['listSubmitted', tx => tx.listSubmitted(10), ['processes_by_due']],
    ['nextDue', tx => tx.nextDue(), ['processes_by_due']],
    [
      'listChanges',
      tx => tx.listChanges('' as ChangeCursor, 10),
      [
        'processes_by_change (ROW(change_seq, id) > ROW($, $) and change_seq < $)',
        'processes_by_change (change_seq >= $)',
        'tombstones_by_change (ROW(change_seq, id) > ROW($, $) and change_seq < $)',
        'tombstones_by_change (change_seq >= $)',
      ],
    ],
    [
      'latestChange',
      tx => tx.latestChange(),
      ['processes_by_change (change_seq < $)', 'tombstones_by_change (change_seq < $)'],
    ],
    ['listWorkers', tx => tx.listWorkers('host'), ['workers_by_host (host_id = $)']],
    [
      'listLeasesOfWorker',
      tx => tx.listLeasesOfWorker('worker'),
      ['leases_by_worker (worker_incarnation = $)'],
    ],
    ['listOrphans', tx => tx.listOrphans('host'), ['leases_by_dead_host (dead_host_id = $)']],
    ['listEnded', tx => tx.listEnded(ended), [ENDED]],
    [
      'listEnded of one originator, status and occurrence, up to a change',
      tx => {
        const filter = { status: 'failed', originatorScopeId: 'host', causedByOccurrenceId: 'o' } as const
        return tx.listEnded({ ...ended, filter, upTo: '' as ChangeCursor })
      },
      [ENDED],
    ],
    ['hasDueWake', tx => tx.hasDueWake(ID), ['wakes_by_process (process_id = $)']],
    ['countPlaces', tx => tx.countPlaces('k', NOW), ['leases_by_place (place = $)']],
    [
      'countQueued',
      tx => tx.countQueued('rate:k', { priority: 3, createdAtMs: NOW, id: ID }, NOW, 9),
      ['processes_by_turn (turn = $ and ROW(priority, created_at, id) < ROW($, $, $))'],
    ],
    ['listQueued', tx => tx.listQueued('rate:k', NOW, 10), ['processes_by_turn (turn = $)']],
    ['countLive', tx => tx.countLive(), ['processes_live']],
    ['earliestWakeExpiry', tx => tx.earliestWakeExpiry(), ['wakes_by_expiry (expires_at > $)']],
    ['loadRate', tx => tx.loadRate('k'), ['rates_pkey (key = $)']],
    ['saveRate', tx => tx.saveRate('k', NOW), []],
    [
      'deleteRates',
      tx => tx.deleteRates(NOW),
      ['rates_by_next_at (next_at < $)', 'rates_pkey (key = "ANY_subquery".key)'],
    ],
    ['isAwaited', tx => tx.isAwaited(ID), ['waits_by_awaited_process (awaited_process = $)']],
    ['deleteSession', tx => tx.deleteSession('s'), ['sessions_pkey (session_id = $)']],
    ['loadTrigger', tx => tx.loadTrigger('a'), [TRIGGER_ID]],
    ['listTriggers', tx => tx.listTriggers('', 10), ['triggers_pkey (trigger_id > $)']],
    ['listTriggersOf', tx => tx.listTriggersOf('push'), ['triggers_by_event (listens_to = $)']],
    ['listDueTriggers', tx => tx.listDueTriggers(NOW, 10), ['triggers_by_due (next_at <= $)']],
    ['nextTriggerDue', tx => tx.nextTriggerDue(), ['triggers_by_due']],
    ['insertTrigger', tx => tx.insertTrigger(trigger), []],
    ['saveTrigger', tx => tx.saveTrigger(trigger, 1), [TRIGGER_ID]],
    ['deleteTrigger', tx => tx.deleteTrigger('a'), [TRIGGER_ID]],
    ['loadOccurrence', tx => tx.loadOccurrence('o'), [OCCURRENCE_ID]],
    ['insertOccurrence', tx => tx.insertOccurrence(delivery.occurrence), []],
    ['loadDelivery', tx => tx.loadDelivery('p'), [DELIVERY_ID, OCCURRENCE_OF]],
    [
      'listDeliveries',
      tx => tx.listDeliveries('o'),
      [
        'trigger_deliveries_by_occurrence (occurrence_id = ($))',
        'trigger_occurrences_pkey (occurrence_id = ($))',
      ],
    ],
    [
      'listDueDeliveries',
      tx => tx.listDueDeliveries(NOW, 10),
      ['trigger_deliveries_by_due (due_at <= $)', OCCURRENCE_OF],
    ],
    ['nextDeliveryDue', tx => tx.nextDeliveryDue(), ['trigger_deliveries_by_due']],
    ['insertDelivery', tx => tx.insertDelivery(delivery), []],
    ['saveDelivery', tx => tx.saveDelivery(delivery, 1), [DELIVERY_ID]],
    ['deleteDelivery', tx => tx.deleteDelivery('p'), [DELIVERY_ID]],
    [
      'deleteOccurrences',
      tx => tx.deleteOccurrences(NOW),
      ['trigger_deliveries_by_occurrence', 'trigger_occurrences_by_age (occurred_at < $)'],
    ],
    ['listWaitingTurns', tx => tx.listWaitingTurns('s'), ['waiting_turns_pkey (session_id = $)']],
    ['insertWaitingTurn', tx => tx.insertWaitingTurn('s', { position: 1, turnId: 't' }), []],
    [
      'deleteWaitingTurn',
      tx => tx.deleteWaitingTurn('s', 1),
      ['waiting_turns_pkey (session_id = $ and ("position" = $))'],
    ],
    ['hasSessionTombstone', tx => tx.hasSessionTombstone('s'), ['session_tombstones_pkey (session_id = $)']],
    ['insertSessionTombstone', tx => tx.insertSessionTombstone('s', NOW), []],
    [
      'deleteSessionTombstone',
      tx => tx.deleteSessionTombstone('s'),
      ['session_tombstones_pkey (session_id = $)'],
    ],
    [
      'deleteSessionTombstones',
      tx => tx.deleteSessionTombstones(NOW),
      ['session_tombstones_by_age (deleted_at < $)'],
    ],
    ['loadTombstone', tx => tx.loadTombstone(ID), [TOMBSTONE_ID]],
    ['insertTombstone', tx => tx.insertTombstone(tombstone), []],
    ['deleteTombstone', tx => tx.deleteTombstone(ID), [TOMBSTONE_ID]],
    [
      'deleteTombstones',
      tx => tx.deleteTombstones(NOW, 10),
      ['tombstones_pkey (id = "ANY_subquery".id)', 'tombstones_by_age (pruned_at < $)'],
    ],
    ['deleteProcess', tx => tx.deleteProcess(ID), [PROCESS_ID, LEASE_ID, 'events_by_type (process_id = $)']],
    ['loadEnv', tx => tx.loadEnv('ref'), ['envs_pkey (ref = $)']],
    [
      'listBlobs',
      tx => tx.listBlobs('', 10),
      [
        'blobs_pkey (hash > $)',
        'journal_blobs_by_hash (hash = blobs.hash)',
        'process_blobs_by_hash (hash = blobs.hash)',
        'session_blobs_by_hash (hash = blobs.hash)',
      ],
    ],
    [
      'deleteBlobs',
      tx => tx.deleteBlobs(['hash']),
      [
        'blobs_pkey (hash = $)',
        'journal_blobs_by_hash (hash = blobs.hash)',
        'process_blobs_by_hash (hash = blobs.hash)',
        'session_blobs_by_hash (hash = blobs.hash)',
      ],
    ],
    ['insertEvent of a large payload', tx => tx.insertEvent(largeEvent), ['blobs_pkey (hash = $)']],
    [
      'saveJournalEntry of a large value',
      tx => tx.saveJournalEntry(journalEntry({ value: large.payload }), guard),
      [
        LEASE_ID,
        PROCESS_ID,
        'blobs_pkey (hash = $)',
        'journal_blobs_pkey (process_id = $ and epoch = $ and address = $)',
      ],
    ],
    ['saveProcess', tx => tx.saveProcess(stored(), { status: 'any' }), [PROCESS_ID, WAITS]],
    [
      'saveProcess under a lease',
      tx => tx.saveProcess(stored(), { status: 'running', lease: guard }),
      [LEASE_ID, PROCESS_ID, WAITS],
    ],
    ['saveDue', tx => tx.saveDue(ID, NOW), [PROCESS_ID]],
    ['saveLease', tx => tx.saveLease(ID, { fence: 2 }, 1), [LEASE_ID]],
    ['saveJournalEntry', tx => tx.saveJournalEntry(journalEntry(), guard), [LEASE_ID, PROCESS_ID]],
    ['listOnceSteps', tx => tx.listOnceSteps(ID), ['journal_by_once (process_id = $)']],
    [
      'saveResolution',
      tx => tx.saveResolution(journalEntry()),
      ['journal_pkey (process_id = $ and epoch = $ and address = $)'],
    ],
    ['deleteRepeatable', tx => tx.deleteRepeatable(ID, 1), ['journal_pkey (process_id = $ and epoch = $)']],
    ['saveWorker', tx => tx.saveWorker(workerRow('ana')), []],
    ['loadDrain', tx => tx.loadDrain('ana'), ['drains_pkey (worker_incarnation = $)']],
    ['saveDrain', tx => tx.saveDrain(drainRequest('ana')), []],
    ['deleteWorker', tx => tx.deleteWorker('ana'), ['workers_pkey (incarnation_id = $)']],
  ]

  /** Explains statements in place of running them; `found` are the searches that the planner makes of them. */
  async function openExplainer() {
    const schema = randomName()
    await openPostgres({ schema })
    const client = await connect(url)
    // Empty tables would be scanned, and rightly.
    await client.query(
      'set enable_seqscan = off; set enable_bitmapscan = off; set plan_cache_mode = force_generic_plan',
    )
    const statements = new PostgresStatements(schema)
    const found = new Set<string>()
    async function explain<Params, Row>(statement: Statement<Params, Row>): Promise<void> {
      const { text, bind } = statements.get(statement)
      const parameters = bind({}).map(() => 'null')
      await client.query(`prepare explained as ${text}`)
      const call = parameters.length === 0 ? '' : `(${parameters})`
      const { rows } = await client.query(`explain (format json, costs off) execute explained${call}`)
      await client.query('deallocate explained')
      for (const search of searchesOf(rows[0]['QUERY PLAN'])) found.add(search)
    }
    return { statements, explain, found }
  }

  test('the locks of rows that are known, if nobody has written them since, search and never scan', async () => {
    const { explain, found } = await openExplainer()
    const rows = new RecentRows()
    const process = { ...toRegistrationColumns(stored()), ...toMutableColumns(stored(), 1) }
    const lease = toLeaseRow(ID, { fence: 1 })
    rows.keep({ process: { row: process, writtenBy: 1 }, lease: { row: lease, writtenBy: 1 } })
    let explained = Promise.resolve()
    const notes = new RowNotes({
      rows,
      clock: new ServerClock(),
      require: statement => {
        explained = explained.then(() => explain(statement))
      },
      isWaiting: () => false,
    })
    expect(notes.process(ID)).toEqual(process)
    expect(notes.lease(ID)).toEqual(lease)
    await explained
    expect([...found].toSorted()).toEqual([LEASE_ID, PROCESS_ID])
  })

  test.each(searches)('%s searches and never scans', async (_, verb, expected) => {
    const { statements, explain, found } = await openExplainer()
    const explaining: SqlSession = {
      withoutWaits: new Set(),
      *all(statement) {
        yield explain(statement)
        return foundBy(statements.get(statement).text)
      },
      seldom: (statement, params) => explaining.all(statement, params),
      *send(statement) {
        yield explain(statement)
      },
      *save(statement) {
        yield explain(statement)
        return true
      },
      *run(statement) {
        yield explain(statement)
        return 1
      },
    }
    const platform = createPostgresPlatform({
      registryId: 'registry',
      clock: () => NOW,
      heldBack: createHeldBackWatch(),
    })
    await runAsynchronously(verb(createSqlTransaction(explaining, platform)), () => true)
    expect([...found].toSorted()).toEqual(expected.toSorted())
  })
})

/** Does every way down to a table pass a limit? */
function isCut(node: unknown): boolean {
  if (Array.isArray(node)) return node.every(isCut)
  if (typeof node !== 'object' || node === null) return true
  const { 'Node Type': type, Plans: plans } = node as Record<string, unknown>
  return type === 'Limit' || (plans !== undefined && isCut(plans))
}

/** Of every node that reads a table of ours: the index and what it is searched for. */
function searchesOf(plan: unknown): string[] {
  if (Array.isArray(plan)) return plan.flatMap(searchesOf)
  if (typeof plan !== 'object' || plan === null) return []
  const node = plan as Record<string, unknown>
  const below = ['Plan', 'Plans'].flatMap(key => (node[key] === undefined ? [] : searchesOf(node[key])))
  const type = String(node['Node Type'])
  // An index gives its rows in order. What has to be sorted has to be read to the end, unless it was cut before.
  if (type === 'Sort' && !isCut(node)) below.push('Sort')
  if (node['Relation Name'] === 'meta' || !/Scan$/.test(type)) return below
  if (/Function|Subquery|CTE/.test(type) || /^pg_/.test(String(node['Index Name']))) return below
  if (node['Index Name'] === undefined) return [...below, `${type} on ${node['Relation Name']}`]
  const condition = String(node['Index Cond'] ?? '')
    .replaceAll(/::(text|bigint)/g, '')
    // A parameter, or what the plan computes once before.
    .replaceAll(/\$\d+|\(InitPlan \d+\)\.col\d+/g, '$')
    .replaceAll(' AND ', ' and ')
    .replaceAll(/\((\w+|ROW\([^()]*\)) (<=|>=|=|<|>) (\$|ROW\([^()]*\)|'\w+')\)/g, '$1 $2 $3')
    .replaceAll(/'\w+'/g, '$')
  const of = condition === '' ? '' : ` ${condition.startsWith('(') ? condition : `(${condition})`}`
  return [...below, `${node['Index Name']}${of}`]
}
