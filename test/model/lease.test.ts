import { describe, expect, test } from 'vitest'
import {
  clockSkew,
  decideClaim,
  decideReacquire,
  decideReclaim,
  decideRenew,
  freed,
  isCurrentLease,
  type LeaseOwner,
  leaseTimingsFromTtl,
  namesHolder,
  type ProcessLease,
  requireLeaseTimings,
  type StoredLease,
} from '../../src/model/lease.ts'
import { errorWith, ID, LAPSED, leaseOf, NOW, owner, TTL } from './fixtures.ts'

const ana = owner('ana')
const ben = owner('ben')
const held = (by: LeaseOwner, ageMs?: number): StoredLease => ({
  fence: 3,
  holder: leaseOf(by, { fence: 3, ...(ageMs === undefined ? {} : { ageMs }) }),
})
const SAME_IDS_OTHER_LIVENESS: LeaseOwner = { ...ana, liveness: { kind: 'opaque' } }

const STATES = {
  'that was never claimed': undefined,
  'that was released': { fence: 3 },
  'that was proven dead': { fence: 3, deathProof: { owner: ben, fence: 3, provenAtMs: NOW } },
  "under another's live lease": held(ben),
  "under another's lapsed lease": held(ben, LAPSED),
  'under the own live lease': held(ana),
  'under the own lapsed lease': held(ana, LAPSED),
  'whose lease expires this millisecond': held(ben, TTL),
} as const satisfies Record<string, StoredLease | undefined>
type State = keyof typeof STATES

const request = (by: LeaseOwner, ttlMs = TTL) => ({ processId: ID, owner: by, ttlMs })

describe('claiming a process', () => {
  test.each([
    { state: 'that was never claimed', type: 'acquired', fence: 1 },
    { state: 'that was released', type: 'acquired', fence: 4 },
    { state: 'that was proven dead', type: 'acquired', fence: 4 },
    { state: "under another's live lease", type: 'busy', fence: 3 },
    { state: "under another's lapsed lease", type: 'acquired', fence: 4 },
    { state: 'under the own live lease', type: 'acquired', fence: 3 },
    { state: 'under the own lapsed lease', type: 'acquired', fence: 4 },
    { state: 'whose lease expires this millisecond', type: 'acquired', fence: 4 },
  ] as const)('$state: $type, fence $fence', ({ state, type, fence }) => {
    const outcome = decideClaim(STATES[state], request(ana), NOW)
    const lease = outcome.type === 'busy' ? outcome.holder : outcome.lease
    expect({ type: outcome.type, fence: lease.fencingToken }).toEqual({ type, fence })
  })

  test('by its own incarnation keeps the token and moves the expiry, whatever the liveness says', () => {
    const { holder } = held(ana)
    expect(decideClaim(held(ana), request(SAME_IDS_OTHER_LIVENESS), NOW)).toEqual({
      type: 'acquired',
      lease: { ...holder, expiresAtMs: NOW + TTL },
    })
  })

  test('by another incarnation of the same owner is busy', () => {
    const reborn = { ...ana, incarnationId: 'ana-next-life' }
    expect(decideClaim(held(ana), request(reborn), NOW)).toEqual({ type: 'busy', holder: held(ana).holder })
  })

  test('for no time at all yields a lease that has already expired', () => {
    const outcome = decideClaim(undefined, request(ana, 0), NOW)
    expect(outcome).toMatchObject({ type: 'acquired', lease: { expiresAtMs: NOW } })
    expect(decideClaim({ fence: 1, holder: leaseOf(ana, { ageMs: TTL }) }, request(ben), NOW).type).toBe(
      'acquired',
    )
  })

  test('gives every acquisition a token of its own', () => {
    const tokens = [0, 1, 2].map(fence => {
      const outcome = decideClaim({ fence }, request(ana), NOW)
      return outcome.type === 'acquired' ? outcome.lease.leaseToken : undefined
    })
    expect(new Set(tokens).size).toBe(3)
  })
})

describe('reclaiming a process', () => {
  const observed = leaseOf(ben, { fence: 3 })
  const stale: Record<string, ProcessLease> = {
    'an earlier fence': leaseOf(ben, { fence: 2 }),
    'another token': { ...observed, leaseToken: leaseOf(ben, { fence: 9 }).leaseToken },
    'another holder': { ...observed, owner: owner('carl') },
  }

  test.each([
    { state: "under another's live lease", isProvenDead: true, type: 'acquired' },
    { state: "under another's live lease", isProvenDead: false, type: 'busy' },
    { state: "under another's lapsed lease", isProvenDead: false, type: 'acquired' },
    { state: 'that was released', isProvenDead: false, type: 'acquired' },
    { state: 'that was never claimed', isProvenDead: false, type: 'acquired' },
  ] as const)('$state with proof $isProvenDead: $type', ({ state, isProvenDead, type }) => {
    const outcome = decideReclaim(STATES[state], { ...request(ana), observed, isProvenDead }, NOW)
    expect(outcome.type).toBe(type)
    if (outcome.type === 'acquired') expect(outcome.lease.fencingToken).toBe((STATES[state]?.fence ?? 0) + 1)
  })

  test.each(Object.keys(stale))('observed under %s removes nothing', what => {
    const wrong = stale[what] as ProcessLease
    const outcome = decideReclaim(held(ben), { ...request(ana), observed: wrong, isProvenDead: true }, NOW)
    expect(outcome).toEqual({ type: 'busy', holder: held(ben).holder })
  })
})

test.each([
  { store: 1_000, sent: 1_000, heard: 1_000, skew: 0 },
  { store: 1_004, sent: 1_000, heard: 1_010, skew: 0 },
  // A slow answer is no skew.
  { store: 9_000, sent: 1_000, heard: 9_500, skew: 0 },
  { store: 601_000, sent: 1_000, heard: 1_010, skew: 599_990 },
  { store: 400, sent: 1_000, heard: 1_010, skew: -600 },
])(
  'a store that read $store between $sent and $heard here is $skew ms ahead (H20)',
  ({ store, sent, heard, skew }) => {
    expect(clockSkew(store, sent, heard)).toBe(skew)
  },
)

describe('keeping a lease', () => {
  const mine = leaseOf(ana, { fence: 3 })
  const lapsed = leaseOf(ana, { fence: 3, ageMs: LAPSED })
  const table: readonly { state: State; lease: ProcessLease; renewed?: number; reacquired?: number }[] = [
    { state: 'under the own live lease', lease: mine, renewed: 3, reacquired: 3 },
    { state: 'under the own lapsed lease', lease: lapsed, reacquired: 4 },
    { state: "under another's live lease", lease: mine },
    { state: "under another's lapsed lease", lease: mine },
    { state: 'that was released', lease: mine },
    { state: 'that was proven dead', lease: mine },
    { state: 'that was never claimed', lease: mine },
  ]

  test.each(table)(
    '$state is renewed as fence $renewed and taken again as fence $reacquired',
    ({ state, lease, renewed, reacquired }) => {
      const extended = decideRenew(STATES[state], lease, TTL, NOW)
      const again = decideReacquire(STATES[state], lease, TTL, NOW)
      expect([extended?.fencingToken, again?.fencingToken]).toEqual([renewed, reacquired])
      for (const kept of [extended, again]) if (kept !== undefined) expect(kept.expiresAtMs).toBe(NOW + TTL)
    },
  )

  test.each([
    { what: 'token', patch: { leaseToken: leaseOf(ana, { fence: 8 }).leaseToken } },
    { what: 'fence', patch: { fencingToken: 2 } },
    { what: 'incarnation', patch: { owner: { ...ana, incarnationId: 'another' } } },
  ])('a lease with another $what is not the current one', ({ patch }) => {
    const forged = { ...mine, ...patch }
    expect(isCurrentLease(held(ana), forged, NOW)).toBe(false)
    expect(decideRenew(held(ana), forged, TTL, NOW)).toBeUndefined()
    expect(decideReacquire(held(ana, LAPSED), forged, TTL, NOW)).toBeUndefined()
  })

  test('the expiry that a client claims counts for nothing', () => {
    const forged = { ...lapsed, expiresAtMs: NOW + 1e9 }
    expect(isCurrentLease(held(ana, LAPSED), forged, NOW)).toBe(false)
  })
})

describe('proving the last holder dead', () => {
  test.each([
    { title: 'names the live holder', lease: held(ben), incarnationId: 'ben-life', fence: 3, proves: true },
    {
      title: 'names the lapsed one',
      lease: held(ben, LAPSED),
      incarnationId: 'ben-life',
      fence: 3,
      proves: true,
    },
    { title: 'names an earlier fence', lease: held(ben), incarnationId: 'ben-life', fence: 2, proves: false },
    { title: 'names somebody else', lease: held(ben), incarnationId: 'ana-life', fence: 3, proves: false },
    { title: 'finds nobody', lease: { fence: 3 }, incarnationId: 'ben-life', fence: 3, proves: false },
  ])('evidence that $title: $proves', ({ lease, incarnationId, fence, proves }) => {
    expect(namesHolder({ incarnationId, fence }, 'holder' in lease ? lease.holder : undefined)).toBe(proves)
  })

  test('needs evidence', () => {
    expect(namesHolder(undefined, held(ben).holder)).toBe(false)
  })

  test('a lease given back keeps its fence and the proof beside it', () => {
    const deathProof = { owner: ben, fence: 3, provenAtMs: NOW }
    expect(freed({ ...held(ben), deathProof, backendToken: 'token' })).toEqual({ fence: 3, deathProof })
  })
})

describe('lease timings', () => {
  test.each([
    { ttlMs: 30_000, renewIntervalMs: 10_000 },
    { ttlMs: 3, renewIntervalMs: 1 },
    { ttlMs: 60, renewIntervalMs: 20 },
  ])('$ttlMs ms with a renewal each $renewIntervalMs ms are accepted', timings => {
    expect(requireLeaseTimings(timings)).toBe(timings)
  })

  test.each([
    { ttlMs: 29_999, renewIntervalMs: 10_000 },
    { ttlMs: 0, renewIntervalMs: 0 },
    { ttlMs: 30_000, renewIntervalMs: 0 },
    { ttlMs: 0, renewIntervalMs: 10 },
    { ttlMs: Number.NaN, renewIntervalMs: 1 },
    { ttlMs: 30_000, renewIntervalMs: Number.NaN },
  ])('$ttlMs ms with a renewal each $renewIntervalMs ms are refused', timings => {
    expect(() => requireLeaseTimings(timings)).toThrow(errorWith('lease_timings_invalid'))
  })

  test('derived from a time to live renew three times within it', () => {
    expect(leaseTimingsFromTtl(60)).toEqual({ ttlMs: 60, renewIntervalMs: 20 })
    expect(() => leaseTimingsFromTtl(2)).toThrow(errorWith('lease_timings_invalid'))
  })
})
