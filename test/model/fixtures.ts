import { expect } from 'vitest'
import type { Approval } from '../../src/model/approval.ts'
import type { ErrorCode } from '../../src/model/errors.ts'
import { CORE_EVENT_TYPES } from '../../src/model/event.ts'
import { requireProcessId } from '../../src/model/ids.ts'
import type { JournalEntry } from '../../src/model/journal.ts'
import { acquire, type LeaseOwner, type ProcessLease } from '../../src/model/lease.ts'
import type { ProcessRecord, StoredProcess } from '../../src/model/process.ts'
import type { RegistrationRequest } from '../../src/model/registration.ts'
import type { WakeDelivery } from '../../src/model/wake.ts'

export const NOW = 1_000_000
export const TTL = 30_000
export const ID = requireProcessId('survey-42')

export const owner = (name: string): LeaseOwner => ({
  ownerId: name,
  incarnationId: `${name}-life`,
  liveness: { kind: 'local_process', hostId: 'host', bootId: 'boot', pid: 7, processStart: '1' },
})

export const record = (patch: Partial<ProcessRecord> = {}): ProcessRecord => ({
  id: ID,
  input: { type: 'engine', kind: 'survey', payload: null },
  disposition: 'rerunnable',
  identity: { kind: 'survey' },
  eventTypes: CORE_EVENT_TYPES,
  provenance: { originator: { type: 'host' } },
  envRef: 'process-env:sha256:00',
  registrationHash: 'hash',
  incarnation: 'incarnation',
  createdAtMs: NOW - 10_000,
  updatedAtMs: NOW - 10_000,
  status: 'running',
  waits: [],
  attempts: 0,
  lastSequence: 0,
  changeSeq: 1,
  ...patch,
})

export const stored = (
  patch: Partial<ProcessRecord> = {},
  row: Partial<Omit<StoredProcess, 'record'>> = {},
): StoredProcess => ({
  record: record(patch),
  submissions: 0,
  failures: 0,
  attemptsSpent: 0,
  isAttemptOpen: false,
  isRunWaiting: false,
  epoch: 0,
  ...row,
})

/** A lease that `holder` took `ageMs` ago; at the default age it has half its time left. */
export function leaseOf(holder: LeaseOwner, { fence = 1, ageMs = TTL / 2 } = {}): ProcessLease {
  return acquire({ fence: fence - 1 }, { processId: ID, owner: holder, ttlMs: TTL }, NOW - ageMs)
}

/** Older than its time to live. */
export const LAPSED = TTL + 1

export const registration = (patch: Partial<RegistrationRequest> = {}): RegistrationRequest => ({
  id: ID,
  input: { type: 'engine', kind: 'survey', payload: { dir: '.' } },
  disposition: 'rerunnable',
  provenance: { originator: { type: 'host' } },
  envRef: 'process-env:sha256:00',
  ...patch,
})

export const journalEntry = (patch: Partial<JournalEntry> = {}): JournalEntry => ({
  processId: ID,
  epoch: 0,
  position: 1,
  address: 'charge[card-1]',
  kind: 'step',
  effect: 'once',
  digest: 'digest',
  status: 'done',
  operationId: 'op_1',
  attempt: 'attempt-1',
  fence: 1,
  startedAtMs: NOW,
  ...patch,
})

export const wakeDelivery = (patch: Partial<WakeDelivery> = {}): WakeDelivery => ({
  wakeId: 'wake:1',
  targetSessionId: 's',
  targetScopeId: 'session:s',
  processId: ID,
  sequence: 1,
  eventType: 'news',
  eventInvocation: {
    scope: { sessionId: 'runtime' },
    subject: { processId: ID, sequence: 1, eventType: 'news' },
    causedBy: { type: 'process', processId: ID },
  },
  dedupeKey: `${ID}:1`,
  input: 'it rains',
  createdAtMs: NOW,
  ...patch,
})

/** For `toThrow`: the error of our family with this code. */
export const errorWith = (code: ErrorCode): Error => expect.objectContaining({ name: 'LeaseholdError', code })

export const approval: Approval = {
  callId: 'call-1',
  tool: 'pay',
  args: { euros: 5 },
  argsDigest: 'digest',
  sessionId: 's',
  approvers: 1,
  votes: [],
}
