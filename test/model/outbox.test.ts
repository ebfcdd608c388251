import { describe, expect, test } from 'vitest'
import {
  DISCARD_REASONS,
  decideClaimWake,
  decideFreeWake,
  decideRedriveWake,
  decideRetargetWake,
  decideReviveWake,
  decideSettleWake,
  demoteWake,
  isBlockingWake,
  isOpenWake,
  newWake,
  OUTBOX,
  promoteWake,
  type StoredWake,
  type WakeClaim,
} from '../../src/model/outbox.ts'
import { errorWith, NOW, wakeDelivery } from './fixtures.ts'

const DELIVERY = wakeDelivery()
const head = newWake(DELIVERY, true, NOW)
const behind = newWake(DELIVERY, false, NOW)

function claimed(wake: StoredWake, token = 'token', now = NOW): { wake: StoredWake; claim: WakeClaim } {
  const decision = decideClaimWake(wake, { claimToken: token, claimedBy: 'life' }, now)
  if (decision.type !== 'claimed') throw new Error(decision.type)
  return decision
}
const discarded = (reason: (typeof DISCARD_REASONS)[number]): StoredWake => {
  const { wake, claim } = claimed(head)
  return decideSettleWake(wake, claim, { type: 'discard', reason }, NOW)
}

test('the numbers are those of the contract', () => {
  expect(OUTBOX).toMatchObject({ batch: 32, staleClaimMs: 30_000, expiryMs: 604_800_000 })
  expect([1, 2, 3, 13, 14, 1_000].map(OUTBOX.retryAfterMs)).toEqual([50, 100, 200, 204_800, 300_000, 300_000])
})

describe('claiming', () => {
  test('takes a head that is due, until the claim is stale', () => {
    const { wake, claim } = claimed(head)
    expect(wake).toMatchObject({ status: 'enqueuing', claimToken: 'token', claimedBy: 'life', attempts: 1 })
    expect(wake.version).toBe(2)
    expect(wake.dueAtMs).toBe(NOW + OUTBOX.staleClaimMs)
    expect(claim).toEqual({ delivery: DELIVERY, claimToken: 'token', attempt: 1 })
  })

  test.each<{ what: string; wake: StoredWake; now: number }>([
    { what: 'one that stands behind another', wake: behind, now: NOW + 1e9 },
    { what: 'one that is not due yet', wake: head, now: NOW - 1 },
    { what: 'one in live hands', wake: claimed(head).wake, now: NOW + OUTBOX.staleClaimMs - 1 },
    { what: 'one that was given up', wake: discarded('expired'), now: NOW + 1e9 },
  ])('leaves $what', ({ wake, now }) => {
    expect(decideClaimWake(wake, { claimToken: 'other' }, now)).toEqual({ type: 'not_due' })
  })

  test('takes over a stale claim under a new token', () => {
    const again = claimed(claimed(head).wake, 'other', NOW + OUTBOX.staleClaimMs)
    expect(again.wake).toMatchObject({ claimToken: 'other', attempts: 2 })
    expect(again.claim.attempt).toBe(2)
  })

  test.each([
    { what: 'that waits', wake: head },
    { what: 'whose claimers all died', wake: claimed(head, 'token', NOW + OUTBOX.expiryMs - 1).wake },
  ])('gives up one $what when its time is over', ({ wake }) => {
    const decision = decideClaimWake(
      wake,
      { claimToken: 'other' },
      NOW + OUTBOX.expiryMs + OUTBOX.staleClaimMs,
    )
    expect(decision).toMatchObject({
      type: 'expired',
      wake: { status: 'discarded', discarded: { reason: 'expired' } },
    })
  })
})

describe('a worker that died', () => {
  const { wake, claim } = claimed(head)

  test('leaves its wake to the next, at once, and its claim settles nothing', () => {
    const freed = decideFreeWake(wake, 'life', NOW + 1)
    expect(freed).toEqual({ ...head, version: 3, attempts: 1, dueAtMs: NOW + 1 })
    const late = () => decideSettleWake(freed, claim, { type: 'enqueued' }, NOW + 2)
    expect(late).toThrow(errorWith('wake_claim_lost'))
  })

  test.each<{ what: string; wake: StoredWake | undefined }>([
    { what: 'that another holds', wake: { ...wake, claimedBy: 'other' } },
    { what: 'that it has settled', wake: decideSettleWake(wake, claim, { type: 'retry' }, NOW) },
    { what: 'that nobody claimed', wake: head },
    { what: 'that is not there', wake: undefined },
  ])('frees none $what', ({ wake: found }) => {
    expect(decideFreeWake(found, 'life', NOW)).toBeUndefined()
  })
})

describe('settling', () => {
  const { wake, claim } = claimed(head)

  test('as enqueued ends its way', () => {
    const settled = decideSettleWake(wake, claim, { type: 'enqueued' }, NOW)
    expect(settled).toMatchObject({ status: 'enqueued', version: 3 })
    expect(settled).not.toHaveProperty('dueAtMs')
    expect(settled).not.toHaveProperty('claimToken')
    expect(isOpenWake(settled)).toBe(false)
  })

  test('as retry makes it due later, and later still', () => {
    const first = decideSettleWake(wake, claim, { type: 'retry' }, NOW)
    expect(first).toMatchObject({ status: 'pending', attempts: 1, dueAtMs: NOW + 50 })
    const again = claimed(first, 'again', NOW + 50)
    const second = decideSettleWake(again.wake, again.claim, { type: 'retry' }, NOW + 50)
    expect(second).toMatchObject({ attempts: 2, dueAtMs: NOW + 150, expiresAtMs: head.expiresAtMs })
  })

  test.each(DISCARD_REASONS)('as discarded says why: %s', reason => {
    expect(discarded(reason)).toMatchObject({ status: 'discarded', discarded: { reason, atMs: NOW } })
  })

  test.each<{ what: string; stored: StoredWake | undefined }>([
    { what: 'a wake that is gone', stored: undefined },
    { what: 'a wake that nobody holds', stored: head },
    {
      what: 'a wake that another took over',
      stored: claimed(wake, 'other', NOW + OUTBOX.staleClaimMs).wake,
    },
    { what: 'a settled wake', stored: decideSettleWake(wake, claim, { type: 'enqueued' }, NOW) },
  ])('$what is refused', ({ stored }) => {
    expect(() => decideSettleWake(stored, claim, { type: 'enqueued' }, NOW)).toThrow(
      errorWith('wake_claim_lost'),
    )
  })
})

describe('a group', () => {
  test.each<{ reason: (typeof DISCARD_REASONS)[number]; blocks: boolean }>([
    { reason: 'expired', blocks: true },
    { reason: 'target_gone', blocks: true },
    { reason: 'target_closed', blocks: true },
    { reason: 'retargeted', blocks: false },
    { reason: 'sequence_rewound', blocks: false },
  ])('is held up by a wake given up as $reason: $blocks (§6 #60)', ({ reason, blocks }) => {
    expect(isBlockingWake(discarded(reason))).toBe(blocks)
    expect(isOpenWake(discarded(reason))).toBe(blocks)
  })

  test('has a next head, whose time begins then', () => {
    const later = NOW + OUTBOX.expiryMs
    expect(promoteWake(behind, later)).toMatchObject({
      dueAtMs: later,
      expiresAtMs: later + OUTBOX.expiryMs,
      version: 2,
    })
    expect(promoteWake(head, later)).toBe(head)
    expect(promoteWake(discarded('expired'), later)).toMatchObject({ status: 'discarded' })
  })

  test('can get a wake before its head, which steps back unless it is in hand', () => {
    expect(demoteWake(head)).not.toHaveProperty('dueAtMs')
    expect(demoteWake(behind)).toBe(behind)
    const { wake } = claimed(head)
    expect(demoteWake(wake)).toBe(wake)
  })
})

describe('redriving', () => {
  test.each(['expired', 'target_gone', 'target_closed'] as const)(
    'tries one given up as %s as if it were new',
    reason => {
      const redriven = decideRedriveWake(discarded(reason), 'wake:1', NOW + 9)
      expect(redriven).toMatchObject({
        ...{ status: 'pending', attempts: 0, dueAtMs: NOW + 9 },
        expiresAtMs: NOW + 9 + OUTBOX.expiryMs,
      })
      expect(redriven).not.toHaveProperty('discarded')
    },
  )

  test.each<{ what: string; wake: StoredWake | undefined }>([
    { what: 'an unknown wake', wake: undefined },
    { what: 'one that waits', wake: head },
    { what: 'one that went elsewhere', wake: discarded('retargeted') },
    { what: 'one that was heard before', wake: discarded('sequence_rewound') },
  ])('refuses $what', ({ wake }) => {
    expect(() => decideRedriveWake(wake, 'wake:1', NOW)).toThrow(errorWith('wake_not_blocked'))
  })
})

describe('retargeting', () => {
  test.each([
    { what: 'that waits', wake: head },
    { what: 'behind another', wake: behind },
    { what: 'that holds up its group', wake: discarded('expired') },
  ])('sends one $what elsewhere', ({ wake }) => {
    const decision = decideRetargetWake(wake, { sessionId: 't' }, NOW)
    expect(decision?.wake).toMatchObject({ status: 'discarded', discarded: { reason: 'retargeted' } })
    expect(decision?.delivery).toMatchObject({ targetSessionId: 't', sequence: 1, input: 'it rains' })
    expect(decision?.delivery.wakeId).not.toBe(DELIVERY.wakeId)
  })

  test('leaves one in somebody’s hands', () => {
    expect(decideRetargetWake(claimed(head).wake, { sessionId: 't' }, NOW)).toBeUndefined()
  })

  test('back again delivers it after all', () => {
    const gone = discarded('retargeted')
    expect(decideReviveWake(gone, true, NOW)).toMatchObject({ status: 'pending', dueAtMs: NOW, version: 4 })
    expect(decideReviveWake(gone, true, NOW)).not.toHaveProperty('discarded')
    expect(decideReviveWake(head, true, NOW)).toBeUndefined()
    expect(decideReviveWake(discarded('expired'), true, NOW)).toBeUndefined()
  })
})
