import { describe, expect, test } from 'vitest'
import { approvalKeyOf } from '../../src/model/approval.ts'
import { type ExplainedState, type Explanation, explain } from '../../src/model/explain.ts'
import type { StoredLease } from '../../src/model/lease.ts'
import { type Outcome, TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import type { FirstStarted, ProcessRecord, StoredProcess } from '../../src/model/process.ts'
import type { WaitCondition, WaitState } from '../../src/model/wait.ts'
import type { WorkerRow } from '../../src/model/worker-row.ts'
import { LAPSED, leaseOf, NOW, owner, stored } from './fixtures.ts'

const ben = owner('ben')
const live: StoredLease = { fence: 3, holder: leaseOf(ben, { fence: 3 }) }
const lapsed: StoredLease = { fence: 3, holder: leaseOf(ben, { fence: 3, ageMs: LAPSED }) }
const dead: StoredLease = { fence: 3, deathProof: { owner: ben, fence: 3, provenAtMs: NOW - 5 } }
const firstStarted: FirstStarted = { owner: ben, attempt: ben.incarnationId, fence: 3, startedAtMs: NOW - 9 }
const bound = { disposition: 'owner_bound', firstStarted, attempts: 1 } as const
const abandonRequest = { requestedBy: 'ana', requestedAtMs: NOW - 1 }
const cancelRequest = { requestedAtMs: NOW, reason: 'enough' }
const external = { disposition: 'externally_owned' } as const
const gone: Outcome = { status: 'abandoned', evidence: { writer: 'sweep', owner: ben, epochMs: 1 } }
const at = (ms: number) => new Date(ms).toISOString()

interface Case {
  readonly title: string
  readonly record?: Partial<ProcessRecord>
  readonly row?: Partial<Omit<StoredProcess, 'record'>>
  readonly lease?: StoredLease
  readonly worker?: WorkerRow
  readonly state: ExplainedState
  readonly holder?: RegExp
  readonly why: RegExp
  readonly moves: readonly RegExp[]
}

const CASES: readonly Case[] = [
  ...TERMINAL_STATUSES.map(
    (status): Case => ({
      title: `one that ${status}`,
      record: { status },
      state: 'ended',
      why: new RegExp(`^It ended as ${status}\\. The first outcome stays`),
      moves: [],
    }),
  ),
  {
    title: 'one that was abandoned by the sweep',
    record: { status: 'abandoned', outcome: gone },
    state: 'ended',
    why: /^It ended as abandoned \(sweep\)/,
    moves: [],
  },
  {
    title: 'external work',
    record: external,
    state: 'external',
    holder: /^Held by nobody, and never was/,
    why: /^Somebody else does this work/,
    moves: [/complete survey-42 --success JSON/, /abandon survey-42 --by WHO/],
  },
  {
    title: 'external work that somebody asked to abandon',
    record: { ...external, abandonRequest },
    state: 'to_be_abandoned',
    why: /^ana asked to abandon it, and nobody holds it/,
    moves: [/^The next sweep writes it/],
  },
  {
    title: 'external work with a request, whose lease somebody holds',
    record: { ...external, abandonRequest },
    lease: live,
    state: 'to_be_abandoned',
    why: new RegExp(`somebody holds its lease until ${at(NOW + 15_000)}`),
    moves: [/when that lease ends/, /^Its owner completes it/],
  },
  {
    title: 'one that runs',
    record: { attempts: 1 },
    lease: live,
    state: 'held',
    holder: /^Held by ben \(pid 7 on host\); fence 3, until .* unless renewed/,
    why: /^Its code runs\.$/,
    moves: [/ends or parks/, /^leasehold cancel survey-42$/, /another worker goes on/],
  },
  {
    title: 'one that runs at a worker that is announced',
    record: { attempts: 1 },
    lease: live,
    worker: { worker: { ...ben, ownerId: 'worker:7' }, startedAtMs: 0, lastSeenMs: 0 },
    state: 'held',
    holder: /^Held by worker:7 \(pid 7 on host\)/,
    why: /^Its code runs/,
    moves: [/ends or parks/, /cancel/, /another worker goes on/],
  },
  {
    title: 'an owner-bound one that runs, with a request to abandon it',
    record: { ...bound, abandonRequest },
    lease: live,
    state: 'held',
    why: /ana asked to abandon it, which ends nothing while somebody holds it/,
    moves: [/ends or parks/, /cancel/, /the next look finds it silent/],
  },
  {
    title: 'one that runs and was cancelled',
    record: { cancelRequest, attempts: 1 },
    lease: live,
    state: 'stopping',
    why: /its worker has told the code, which has not ended yet/,
    moves: [/ends, as it likes/, /cancel survey-42 --force/, /another worker/],
  },
  {
    title: 'one that runs and was cancelled by force',
    record: { cancelRequest: { ...cancelRequest, forcedAtMs: NOW }, attempts: 1 },
    lease: live,
    state: 'stopping',
    why: /has not ended yet/,
    moves: [/ends, as it likes/, /when the grace is over/, /another worker/],
  },
  {
    title: 'a silent one',
    record: { ...bound, silentSinceMs: NOW - 5 },
    lease: lapsed,
    state: 'silent',
    holder: /^Held by nobody now; ben \(pid 7 on host\) let its lease \(fence 3\) lapse/,
    why: /began at ben, which has not been heard of since .*nothing says what became of it\.$/,
    moves: [/comes back/, /proves its owner dead/, /host-dead host --by WHO/, /abandon survey-42 --by WHO/],
  },
  {
    title: 'a silent one that nobody has looked at yet',
    record: bound,
    lease: { fence: 3 },
    state: 'silent',
    holder: /^Held by nobody\.$/,
    why: /which has not been heard of\. Nobody may run it again/,
    moves: [/comes back/, /proves/, /host-dead/, /abandon/],
  },
  {
    title: 'a silent one whose owner nobody can judge, cancelled',
    record: {
      ...bound,
      cancelRequest,
      firstStarted: { ...firstStarted, owner: { ...ben, liveness: { kind: 'opaque' } } },
    },
    lease: lapsed,
    state: 'silent',
    why: /The recorded cancel is no evidence either/,
    moves: [/comes back/, /abandon/],
  },
  {
    title: 'an owner-bound one whose owner is proven dead',
    record: bound,
    lease: dead,
    row: { dueAtMs: NOW },
    state: 'to_be_abandoned',
    holder: /^Held by nobody; ben \(pid 7 on host\) \(fence 3\) was proven dead at /,
    why: /its owner ben is proven dead/,
    moves: [/the sweep looks at it now/],
  },
  {
    title: 'an owner-bound one whose host somebody says is gone',
    record: bound,
    lease: { fence: 3, deathProof: { owner: ben, fence: 3, provenAtMs: NOW - 5, statedBy: 'ops' } },
    state: 'to_be_abandoned',
    why: /its owner ben is proven dead, by the word of ops\.$/,
    moves: [/begins its next attempt/],
  },
  {
    title: 'an owner-bound one whose lease lapsed, with a request',
    record: { ...bound, abandonRequest },
    lease: lapsed,
    row: { dueAtMs: NOW + 1 },
    state: 'to_be_abandoned',
    why: /^ana asked to abandon it/,
    moves: [new RegExp(`the sweep looks at it at ${at(NOW + 1)}`)],
  },
  {
    title: 'one that was cancelled and is held by nobody',
    record: { cancelRequest },
    state: 'to_be_cancelled',
    why: /without running its code/,
    moves: [/A worker begins its next attempt\.$/],
  },
  {
    title: 'one whose attempts are used up',
    record: { maxAttempts: 2, attempts: 2 },
    row: { attemptsSpent: 2 },
    state: 'to_be_abandoned',
    why: /Its 2 attempts are used up/,
    moves: [/begins its next attempt/],
  },
  {
    title: 'one that failed for a passing reason',
    record: { attempts: 3 },
    row: { failures: 3, dueAtMs: NOW + 4_000 },
    lease: { fence: 3 },
    state: 'backing_off',
    why: new RegExp(`3 in a row: the next is due at ${at(NOW + 4_000)}`),
    moves: [/That time comes/, /cancel/],
  },
  {
    title: 'one in the queue for a place',
    record: {
      flow: { concurrency: { key: 'mail', limit: 3 } },
      turn: { on: 'concurrency', key: 'mail', sinceMs: NOW - 5 },
    },
    state: 'queued',
    why: new RegExp(
      `a place of "mail" since ${at(NOW - 5)}: at most 3 of this key run at a time. Others come`,
    ),
    moves: [/A process that holds a place of "mail" ends/, /cancel/],
  },
  {
    title: 'one in the queue for a rate',
    record: {
      flow: { rate: { key: 'mail', limit: 3, periodMs: 1_000 } },
      turn: { on: 'rate', key: 'mail', sinceMs: NOW - 5, atMs: NOW + 200 },
    },
    state: 'queued',
    why: new RegExp(`at most 3 of this key begin in 1000 ms. Its turn comes at ${at(NOW + 200)}`),
    moves: [/Its time comes/, /cancel/],
  },
  {
    title: 'a rerunnable one whose lease lapsed',
    record: { attempts: 1, firstStarted },
    lease: lapsed,
    row: { dueAtMs: NOW + 1_000 },
    state: 'lapsed',
    why: /lease ended at .* without renewal/,
    moves: [/before anybody else/, /the sweep looks at it at/, /cancel/],
  },
  {
    title: 'one that was only registered',
    row: { dueAtMs: NOW + 2_000 },
    state: 'not_begun',
    holder: /^Held by nobody, and never was/,
    why: /was not handed to a backend yet/,
    moves: [/begins its next attempt/, /cancel/],
  },
  {
    title: 'one that was handed to Temporal and not begun',
    record: { externalRef: { backend: 'temporal', id: 'survey-42' } },
    row: { dueAtMs: NOW + 30_000 },
    state: 'not_begun',
    why: /handed to temporal, and no worker has taken it yet/,
    moves: [/leasehold doctor/, /begins/, /cancel/],
  },
  {
    title: 'one that only workers of one host profile may run',
    record: { provenance: { originator: { type: 'host' }, hostProfileId: 'laptop' } },
    state: 'not_begun',
    why: /was not handed to a backend yet/,
    moves: [/^A worker of host profile "laptop" begins its next attempt\.$/, /cancel/],
  },
  {
    title: 'one whose worker shut down',
    record: { attempts: 1, firstStarted },
    lease: { fence: 1 },
    row: { dueAtMs: NOW },
    state: 'to_go_on',
    why: /Its last attempt was given back/,
    moves: [/looks at it now/, /cancel/],
  },
  {
    title: 'a rerunnable one whose worker is proven dead, with a request to abandon it',
    record: { attempts: 1, firstStarted, abandonRequest },
    lease: dead,
    row: { dueAtMs: NOW },
    state: 'to_go_on',
    why: /is over: ben is proven dead; the next one goes on\. The request to abandon it ends no rerunnable process/,
    moves: [/looks at it now/, /cancel/],
  },
]

describe('a process is explained', () => {
  test.each(CASES)('$title: $state', ({ record, row, lease, worker, state, holder, why, moves }) => {
    const told = explain({
      stored: stored(record, row),
      now: NOW,
      ...(lease === undefined ? {} : { lease }),
      ...(worker === undefined ? {} : { worker }),
    })
    expect(told).toMatchObject({ id: 'survey-42', state, why: expect.stringMatching(why) })
    if (holder !== undefined) expect(told.holder).toMatch(holder)
    expect(told.moves).toEqual(moves.map(move => expect.stringMatching(move)))
  })

  test('every state that there is stands in the table', () => {
    const states = {
      ended: true,
      external: true,
      held: true,
      stopping: true,
      silent: true,
      to_be_abandoned: true,
      to_be_cancelled: true,
      parked: true,
      queued: true,
      backing_off: true,
      lapsed: true,
      not_begun: true,
      to_go_on: true,
    } satisfies Record<ExplainedState, true>
    const told = new Set([...CASES.map(({ state }) => state), 'parked'])
    expect([...told].sort()).toEqual(Object.keys(states).sort())
  })
})

describe('a parked process says what it waits for and what ends that', () => {
  const WAITS: readonly {
    readonly on: WaitCondition
    readonly untilMs?: number
    readonly why: RegExp
    readonly move: RegExp
  }[] = [
    {
      on: { type: 'timer' },
      untilMs: NOW + 1,
      why: /a time until/,
      move: /^It is 1970-01-01T00:16:40\.001Z/,
    },
    { on: { type: 'timer' }, why: /a time \(since/, move: /^Whoever set the wait clears it/ },
    { on: { type: 'signal', name: 'approve' }, why: /a signal "approve"/, move: /signal survey-42 approve$/ },
    {
      on: { type: 'signal', name: 'approve' },
      untilMs: NOW + 1,
      why: /a signal "approve" until/,
      move: /signal survey-42 approve, or it is /,
    },
    {
      on: { type: 'process', processId: 'child' },
      why: /the end of process child/,
      move: /^Process child ends/,
    },
    {
      on: { type: 'event', processId: 'child', eventType: 'ready', after: 4 },
      why: /an event ready of process child after #4/,
      move: /^Process child writes an event ready/,
    },
    {
      on: { type: 'event', processId: 'survey-42', eventType: 'ready', after: 0 },
      why: /an event ready of its own/,
      move: /writes an event ready/,
    },
    {
      on: { type: 'unknown_step', step: 'pay[7]' },
      why: /what became of step pay\[7\]/,
      move: /leasehold resolve survey-42 'pay\[7\]'/,
    },
    {
      on: { type: 'external_key', key: 'k' },
      why: /under key k/,
      move: /leasehold complete --call 'k' --success JSON/,
    },
    {
      on: { type: 'external_key', key: approvalKeyOf('op_1') },
      why: /people to allow a tool call/,
      move: /leasehold approve survey-42 --by WHO, or deny; leasehold approvals survey-42 shows the call/,
    },
  ]

  const explainWait = (waits: readonly WaitState[]): Explanation =>
    explain({ stored: stored({ waits, attempts: 1 }), lease: { fence: 1 }, now: NOW })

  test.each(WAITS)('$on', ({ on, untilMs, why, move }) => {
    const told = explainWait([{ key: 'k', sinceMs: NOW, on, ...(untilMs === undefined ? {} : { untilMs }) }])
    expect(told).toMatchObject({ state: 'parked', why: expect.stringMatching(why) })
    expect(told.moves).toEqual([expect.stringMatching(move), 'leasehold cancel survey-42'])
  })

  test('each of several waits is a way on', () => {
    const told = explainWait([
      { key: 'a', sinceMs: NOW, on: { type: 'signal', name: 'go' } },
      { key: 'b', sinceMs: NOW, untilMs: NOW + 1, on: { type: 'timer' } },
    ])
    expect(told.why).toMatch(/^It waits for a signal "go" .*, and for a time until/)
    expect(told.moves).toHaveLength(3)
  })
})
