import { describe, expect, test } from 'vitest'
import {
  attemptOwner,
  type BeginAttemptRequest,
  decideBeginAttempt,
  leaseForAttempt,
} from '../../src/model/attempt.ts'
import type { StoredLease } from '../../src/model/lease.ts'
import { TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import type { FirstStarted, ProcessRecord, StoredProcess } from '../../src/model/process.ts'
import { LAPSED, leaseOf, NOW, owner, stored, TTL } from './fixtures.ts'

const worker = owner('worker')
const other = owner('other')
const request = (patch: Partial<BeginAttemptRequest> = {}): BeginAttemptRequest => ({
  worker,
  attempt: 'attempt-2',
  ttlMs: TTL,
  ...patch,
})

const liveOther: StoredLease = { fence: 3, holder: leaseOf(other, { fence: 3 }) }
const lapsedOther: StoredLease = { fence: 3, holder: leaseOf(other, { fence: 3, ageMs: LAPSED }) }
const provenOther: StoredLease = { fence: 3, deathProof: { owner: other, fence: 3, provenAtMs: NOW - 1 } }
const namesOther = { incarnationId: other.incarnationId, fence: 3 }

const started: FirstStarted = {
  owner: other,
  attempt: other.incarnationId,
  fence: 1,
  startedAtMs: NOW - 1,
}
const cancelRequest = { requestedAtMs: NOW - 1, reason: 'enough' }
const abandonRequest = { requestedBy: 'ana', requestedAtMs: NOW - 1 }
const ofLaptop = { originator: { type: 'host' as const }, hostProfileId: 'laptop' }
const pending = [{ key: 'nap', sinceMs: NOW, untilMs: NOW + 5_000, on: { type: 'timer' as const } }]

interface Case {
  readonly title: string
  readonly record: Partial<ProcessRecord>
  readonly row?: Partial<Omit<StoredProcess, 'record'>>
  readonly lease?: StoredLease
  readonly request?: Partial<BeginAttemptRequest>
  readonly answer: object
}

// Each row breaks two neighbouring rules at once: the earlier one of the list has to decide.
const CASES: readonly Case[] = [
  ...TERMINAL_STATUSES.map(status => ({
    title: `a row that ${status} is terminal, whatever else stands on it`,
    record: { status, disposition: 'externally_owned' as const, abandonRequest, cancelRequest },
    lease: liveOther,
    answer: { type: 'terminal', status },
  })),
  {
    title: 'an externally owned row under a live lease stays external, even with a request',
    record: { disposition: 'externally_owned', abandonRequest },
    lease: liveOther,
    answer: { type: 'external' },
  },
  {
    title: 'an externally owned row is never cancelled here',
    record: { disposition: 'externally_owned', cancelRequest },
    answer: { type: 'external' },
  },
  {
    title: 'an externally owned row is external to every host profile',
    record: { disposition: 'externally_owned', provenance: ofLaptop },
    answer: { type: 'external' },
  },
  {
    title:
      'a row of another host profile is left alone before its lease, request and cancel are looked at (§6 #163)',
    record: { provenance: ofLaptop, cancelRequest, abandonRequest },
    lease: liveOther,
    request: { hostProfileId: 'server' },
    answer: { type: 'other_profile', recorded: 'laptop' },
  },
  {
    title: 'a row of a host profile is not for a worker without one (§6 #163)',
    record: { provenance: ofLaptop },
    answer: { type: 'other_profile', recorded: 'laptop' },
  },
  {
    title: 'a row of the same host profile runs (§6 #163)',
    record: { provenance: ofLaptop },
    request: { hostProfileId: 'laptop' },
    answer: { type: 'run' },
  },
  {
    title: 'a row without host profile runs anywhere (§6 #163)',
    record: { provenance: { ...ofLaptop, hostProfileId: '' } },
    request: { hostProfileId: 'server' },
    answer: { type: 'run' },
  },
  {
    title: "another's live lease is busy before owner-bound, request, cancel and waits are looked at",
    record: {
      disposition: 'owner_bound',
      firstStarted: started,
      abandonRequest,
      cancelRequest,
      waits: pending,
    },
    lease: liveOther,
    answer: { type: 'busy', holder: liveOther.holder, remainingMs: TTL / 2 },
  },
  {
    title: 'evidence about an earlier fence of the holder proves nothing',
    record: {},
    lease: liveOther,
    request: { evidence: { ...namesOther, fence: 2 } },
    answer: { type: 'busy' },
  },
  {
    title: 'evidence about another incarnation proves nothing',
    record: {},
    lease: liveOther,
    request: { evidence: { ...namesOther, incarnationId: 'somebody' } },
    answer: { type: 'busy' },
  },
  {
    title: 'a live holder proven dead no longer stands in the way',
    record: {},
    lease: liveOther,
    request: { evidence: namesOther },
    answer: { type: 'run' },
  },
  {
    title: 'a live owner-bound holder proven dead is abandoned before its request is looked at',
    record: { disposition: 'owner_bound', firstStarted: started, abandonRequest },
    lease: liveOther,
    request: { evidence: namesOther },
    answer: { outcome: { status: 'abandoned', evidence: { writer: 'sweep', owner: other, epochMs: NOW } } },
  },
  {
    title: 'a proof about whoever came to settle it later says nothing of the body',
    record: { disposition: 'owner_bound', firstStarted: { ...started, attempt: 'attempt-1' } },
    lease: provenOther,
    answer: { type: 'silent' },
  },
  {
    title: 'evidence about whoever came to settle it later leaves the request as the reason',
    record: {
      disposition: 'owner_bound',
      firstStarted: { ...started, owner: worker, attempt: 'attempt-1' },
      abandonRequest,
    },
    lease: lapsedOther,
    request: { evidence: namesOther },
    answer: {
      outcome: {
        status: 'abandoned',
        evidence: { writer: 'reconciled_request', owner: worker, epochMs: NOW },
      },
    },
  },
  {
    title: 'a proof on record is enough, without the operating system being asked again',
    record: { disposition: 'owner_bound', firstStarted: started },
    lease: provenOther,
    answer: { outcome: { status: 'abandoned', evidence: { writer: 'sweep', owner: other, epochMs: NOW } } },
  },
  {
    title: 'with the lease released, the starter is the one whose death counts',
    record: { disposition: 'owner_bound', firstStarted: started },
    lease: { fence: 1 },
    request: { evidence: { incarnationId: started.attempt, fence: started.fence } },
    answer: { outcome: { status: 'abandoned', evidence: { writer: 'sweep', owner: other, epochMs: NOW } } },
  },
  {
    title: 'a silent owner-bound row stays silent when it is cancelled',
    record: { disposition: 'owner_bound', firstStarted: started, cancelRequest, waits: pending },
    lease: lapsedOther,
    answer: { type: 'silent' },
  },
  {
    title: 'a cancel is settled before pending waits and the budget',
    record: { cancelRequest, waits: pending, maxAttempts: 1 },
    row: { attemptsSpent: 1 },
    answer: { type: 'settle', outcome: { status: 'cancelled', message: 'enough' } },
  },
  {
    title: 'a cancel without reason says so',
    record: { cancelRequest: { requestedAtMs: NOW } },
    answer: { type: 'settle', outcome: { status: 'cancelled', message: 'cancelled on request' } },
  },
  {
    title: 'a pending wait parks before the budget is counted',
    record: { waits: pending, maxAttempts: 1 },
    row: { attemptsSpent: 1 },
    answer: { type: 'parked', untilMs: NOW + 5_000 },
  },
  {
    title: 'an open-ended wait parks without a time',
    record: { waits: [{ key: 'open', sinceMs: NOW, on: { type: 'timer' } }] },
    answer: { type: 'parked' },
  },
  {
    title: 'the earliest of several deadlines is the one to come back at',
    record: { waits: [{ ...pending[0], key: 'late', untilMs: NOW + 9_000 }, ...pending] as typeof pending },
    answer: { type: 'parked', untilMs: NOW + 5_000 },
  },
  {
    title: 'one due wait of several is enough to run',
    record: { waits: [...pending, { key: 'now', sinceMs: NOW, untilMs: NOW, on: { type: 'timer' } }] },
    answer: { type: 'run' },
  },
  {
    title: 'an attempt that was left open counts as spent',
    record: { maxAttempts: 2 },
    row: { attemptsSpent: 1, isAttemptOpen: true },
    lease: lapsedOther,
    answer: { outcome: { status: 'abandoned', evidence: { writer: 'engine_gave_up', epochMs: NOW } } },
  },
  {
    title: 'an attempt that ended in order does not count',
    record: { maxAttempts: 2 },
    row: { attemptsSpent: 1, isAttemptOpen: false },
    answer: { type: 'run', attemptsSpent: 1 },
  },
  {
    title: 'without a limit, attempts are counted and never run out',
    record: {},
    row: { attemptsSpent: 99, isAttemptOpen: true },
    lease: lapsedOther,
    answer: { type: 'run', attemptsSpent: 100 },
  },
  {
    title: 'a pending abandon request does not stop a rerunnable row',
    record: { abandonRequest, firstStarted: started },
    lease: lapsedOther,
    answer: { type: 'run' },
  },
]

describe('beginning an attempt, rule before rule', () => {
  test.each(CASES)('$title', ({ record, row, lease, request: patch, answer }) => {
    expect(decideBeginAttempt(stored(record, row), lease, request(patch), NOW)).toMatchObject(answer)
  })

  test('a parked answer without a deadline bears no time at all', () => {
    const waits = [{ key: 'open', sinceMs: NOW, on: { type: 'timer' as const } }]
    expect(decideBeginAttempt(stored({ waits }), undefined, request(), NOW)).toEqual({ type: 'parked' })
  })

  test('the same attempt, sent twice, is neither busy nor spent', () => {
    const lease = { fence: 4, holder: leaseOf(attemptOwner(worker, 'attempt-2'), { fence: 4 }) }
    const row = stored({ maxAttempts: 1 }, { isAttemptOpen: true })
    expect(decideBeginAttempt(row, lease, request(), NOW)).toEqual({ type: 'run', attemptsSpent: 0 })
  })

  test('another attempt of the same worker is fenced off by its live lease', () => {
    const lease = { fence: 4, holder: leaseOf(attemptOwner(worker, 'attempt-1'), { fence: 4 }) }
    expect(decideBeginAttempt(stored(), lease, request(), NOW)).toMatchObject({ type: 'busy' })
  })
})

describe('the lease of an attempt', () => {
  test('is fresh under the next fence where nobody holds one', () => {
    const { lease, isFresh } = leaseForAttempt(stored().record.id, { fence: 3 }, request(), NOW)
    expect(isFresh).toBe(true)
    expect(lease).toMatchObject({ fencingToken: 4, claimedAtMs: NOW, expiresAtMs: NOW + TTL })
    expect(lease.owner).toEqual({
      ownerId: 'worker:attempt:attempt-2',
      incarnationId: 'attempt-2',
      liveness: worker.liveness,
    })
  })

  test('is the own live one, extended, when the same attempt asks again', () => {
    const holder = leaseOf(attemptOwner(worker, 'attempt-2'), { fence: 4 })
    const taken = leaseForAttempt(holder.processId, { fence: 4, holder }, request(), NOW)
    expect(taken).toEqual({ lease: { ...holder, expiresAtMs: NOW + TTL }, isFresh: false })
  })

  test('is a fresh one over a holder that lapsed or was proven dead', () => {
    for (const current of [lapsedOther, liveOther, provenOther]) {
      const { lease, isFresh } = leaseForAttempt(stored().record.id, current, request(), NOW)
      expect({ fence: lease.fencingToken, isFresh }).toEqual({ fence: 4, isFresh: true })
    }
  })
})
