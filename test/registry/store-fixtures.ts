import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DrainRequest } from '../../src/model/drain.ts'
import type { ChangeCursor, ProcessId } from '../../src/model/ids.ts'
import type { Json } from '../../src/model/json.ts'
import type { ProcessLease } from '../../src/model/lease.ts'
import type { StoredProcess } from '../../src/model/process.ts'
import type { Session } from '../../src/model/session.ts'
import type { StreamRow } from '../../src/model/stream.ts'
import type { WorkerRow } from '../../src/model/worker-row.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createSqliteStore, type SqliteStoreOptions } from '../../src/registry/sql/sqlite-store.ts'
import type { LeaseGuard, ProcessStore } from '../../src/registry/store.ts'
import { ID, leaseOf, NOW, owner, stored } from '../model/fixtures.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { caughtUp, openPostgres } from './postgres-fixtures.ts'

export const BEGINNING = '' as ChangeCursor

export const HOSTILE = 'nul \u0000, clef 𝄞, quote \' " ; -- %'
export const HOSTILE_JSON = JSON.parse(
  '{"__proto__":{"constructor":1},"\\u0000":"𝄞","lone":"\\ud800"}',
) as Json

/** Every optional member set, every text hostile. */
export const FULL: StoredProcess = stored(
  {
    input: { type: 'tool_call', call: { callId: HOSTILE, toolName: HOSTILE, args: HOSTILE_JSON } },
    identity: { kind: HOSTILE, label: HOSTILE, definition: HOSTILE_JSON },
    provenance: {
      originator: { type: 'session', scope: { sessionId: HOSTILE } },
      causedBy: { type: 'turn', sessionId: 's', turnId: 't' },
    },
    wakeTarget: { sessionId: HOSTILE, agentFrameId: HOSTILE },
    maxAttempts: 3,
    flow: {
      concurrency: { key: HOSTILE, limit: 2 },
      rate: { key: HOSTILE, limit: 2, periodMs: 3, burst: 1 },
      priority: 1,
      fairness: { key: 'k', weight: 0.5 },
    },
    turn: { on: 'concurrency', key: HOSTILE, sinceMs: NOW, atMs: NOW + 1 },
    outcome: { status: 'completed', value: HOSTILE_JSON },
    status: 'completed',
    externalRef: { backend: 'temporal', id: HOSTILE, metadata: HOSTILE_JSON },
    firstStarted: { owner: owner('ana'), attempt: 'a', fence: 1, startedAtMs: NOW },
    cancelRequest: { requestedAtMs: NOW, reason: HOSTILE },
    abandonRequest: { requestedAtMs: NOW, requestedBy: HOSTILE },
    waits: [
      { key: 'z', sinceMs: NOW, on: { type: 'timer' } },
      { key: HOSTILE, sinceMs: NOW, untilMs: NOW + 5, on: { type: 'timer' } },
      { key: 'a', sinceMs: NOW, on: { type: 'event', processId: HOSTILE, eventType: HOSTILE, after: 3 } },
      { key: 'b', sinceMs: NOW, on: { type: 'signal', name: HOSTILE }, satisfiedAtMs: NOW },
    ],
    silentSinceMs: NOW,
    attempts: 7,
    lastSequence: 9,
  },
  {
    dueAtMs: NOW,
    submissions: 1,
    failures: 2,
    attemptsSpent: 3,
    isAttemptOpen: true,
    isRunWaiting: true,
    traceparent: HOSTILE,
    epoch: 4,
  },
)

export const idOf = (name: string): ProcessId => name as ProcessId

export { temporaryFolder }

export const temporaryPath = async (): Promise<string> => join(await temporaryFolder(), 'registry.db')

/** Closed when the test ends. */
export async function openSqlite(options: Partial<SqliteStoreOptions> = {}): Promise<ProcessStore> {
  const store = await createSqliteStore({
    clock: () => NOW,
    ...options,
    path: options.path ?? (await temporaryPath()),
  })
  onTestFinished(() => store.close())
  return store
}

export const STORES = [
  { name: 'memory', open: async () => createMemoryStore({ clock: () => NOW }) },
  { name: 'SQLite', open: () => openSqlite() },
  { name: 'PostgreSQL', open: async () => caughtUp(await openPostgres({ clock: () => NOW })) },
]

export const insert = (store: ProcessStore, process: StoredProcess = stored()): Promise<void> =>
  store.transaction(tx => tx.insertProcess(process))

export const load = (store: ProcessStore, id: ProcessId = ID): Promise<StoredProcess | undefined> =>
  store.read(tx => tx.loadProcess(id))

/** Stores a process and a live lease of it. */
export async function insertLeased(store: ProcessStore): Promise<ProcessLease> {
  const lease = leaseOf(owner('ana'))
  await store.transaction(function* (tx) {
    yield* tx.insertProcess(stored())
    yield* tx.saveLease(ID, { fence: lease.fencingToken, holder: lease }, 0)
  })
  return lease
}

/** A new session, open for the turn `t`. */
export const createdSession = (sessionId: string): Session => ({
  sessionId,
  policy: {},
  pluginOptions: {},
  openFor: 't',
  lastPosition: 0,
  version: 1,
  createdAtMs: NOW,
  updatedAtMs: NOW,
})

/** The first of a channel. */
export const streamRow = (patch: Partial<StreamRow> = {}): StreamRow => ({
  processId: ID,
  channel: 'text',
  from: 0,
  to: 2,
  epoch: 0,
  attempt: 1,
  fence: 1,
  content: { deltas: [HOSTILE_JSON, 'b'], step: HOSTILE },
  writtenAtMs: NOW,
  ...patch,
})

export const guardOf = (lease: ProcessLease, now = NOW): LeaseGuard => ({
  token: lease.leaseToken,
  fence: lease.fencingToken,
  now,
})

export const workerRow = (name: string): WorkerRow => ({
  worker: owner(name),
  startedAtMs: NOW,
  lastSeenMs: NOW,
})

export const drainRequest = (name: string): DrainRequest => ({
  worker: owner(name),
  requestedBy: 'ops',
  requestedAtMs: NOW,
})

export const workerNames = async (store: ProcessStore): Promise<string[]> =>
  (await store.read(tx => tx.listWorkers('host'))).map(({ worker }) => worker.ownerId)

/** What a statement finds that is explained in place of being run: nothing, but for blobs, on which the next one depends. */
export const foundBy = <Row>(text: string): Row[] =>
  (/^select "hash" from/.test(text) ? [{ hash: 'hash' }] : []) as Row[]
