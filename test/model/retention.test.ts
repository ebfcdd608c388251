import { describe, expect, test } from 'vitest'
import {
  decidePrune,
  noLongerRetained,
  type PruneDecision,
  type PruneRequest,
  parsePruneRequest,
} from '../../src/model/retention.ts'
import { errorWith, ID, leaseOf, NOW, owner, stored } from './fixtures.ts'

const ENDED = { status: 'completed', outcome: { status: 'completed', value: 1 } } as const
const REQUEST: PruneRequest = { before: NOW }
const SEEN = { changeSeq: 1, lease: undefined, hasDueWake: false, isAwaited: false }
const PASSED: PruneDecision = { type: 'pass_over' }
const PRUNED: PruneDecision = {
  type: 'prune',
  tombstone: { id: ID, status: 'completed', prunedAtMs: NOW, fence: 0, lastSequence: 0 },
}
const kept = (reason: Extract<PruneDecision, { type: 'keep' }>['reason']): PruneDecision => ({
  type: 'keep',
  reason,
})

describe('pruning', () => {
  test.each<{
    title: string
    process?: ReturnType<typeof stored> | undefined
    request?: Partial<PruneRequest>
    seen?: Partial<typeof SEEN>
    expected: PruneDecision
  }>([
    { title: 'takes what has ended before the time', expected: PRUNED },
    { title: 'passes over what is gone', process: undefined, expected: PASSED },
    {
      title: 'passes over what runs, however old',
      process: stored({ status: 'running', updatedAtMs: 0 }),
      expected: PASSED,
    },
    {
      title: 'passes over what changed at the time itself',
      process: stored({ ...ENDED, updatedAtMs: NOW }),
      expected: PASSED,
    },
    {
      title: 'takes what changed the millisecond before',
      process: stored({ ...ENDED, updatedAtMs: NOW - 1 }),
      expected: PRUNED,
    },
    {
      title: 'passes over what changed since it was listed',
      process: stored({ ...ENDED, changeSeq: 2 }),
      expected: PASSED,
    },
    {
      title: 'passes over another status than the one asked for',
      request: { filter: { status: 'failed' } },
      expected: PASSED,
    },
    {
      title: 'takes any status where any is asked for',
      request: { filter: { status: 'any' } },
      expected: PRUNED,
    },
    {
      title: 'passes over another kind than the one asked for',
      request: { filter: { identityKind: 'turn' } },
      expected: PASSED,
    },
    {
      title: 'keeps what its run does not know of',
      process: stored(ENDED, { isRunWaiting: true }),
      expected: kept('run_untold'),
    },
    {
      title: 'keeps what a session has to hear of',
      seen: { hasDueWake: true },
      expected: kept('wake_on_its_way'),
    },
    { title: 'keeps what somebody waits for', seen: { isAwaited: true }, expected: kept('awaited') },
    {
      title: 'keeps nothing that was not asked for',
      request: { filter: { status: 'failed' } },
      seen: { isAwaited: true },
      expected: PASSED,
    },
  ])('$title', ({ request, seen, expected, ...given }) => {
    const process = 'process' in given ? given.process : stored(ENDED)
    expect(decidePrune(process, { ...REQUEST, ...request }, { ...SEEN, ...seen }, NOW)).toEqual(expected)
  })

  test('leaves where fence and sequence stand, though a lease is live', () => {
    const lease = { fence: 7, holder: leaseOf(owner('ana'), { fence: 7 }) }
    const process = stored({ ...ENDED, status: 'failed', lastSequence: 12 })
    expect(decidePrune(process, REQUEST, { ...SEEN, lease }, NOW)).toEqual({
      type: 'prune',
      tombstone: { id: ID, status: 'failed', prunedAtMs: NOW, fence: 7, lastSequence: 12 },
    })
  })
})

describe('a prune request from untyped input', () => {
  test.each<{ title: string; request: unknown; names: string }>([
    { title: 'without a time', request: {}, names: '"before"' },
    { title: 'with a fraction of a time', request: { before: 0.5 }, names: '"before"' },
    {
      title: 'for running processes',
      request: { before: 1, filter: { status: 'running' } },
      names: 'filter.status',
    },
    {
      title: 'for waiting processes',
      request: { before: 1, filter: { waiting: true } },
      names: 'filter.waiting',
    },
    { title: 'with a field that is none', request: { before: 1, olderThan: 2 }, names: 'olderThan' },
    { title: 'up to a number', request: { before: 1, upTo: 3 }, names: '"upTo"' },
  ])('is refused $title', ({ request, names }) => {
    expect(() => parsePruneRequest(request)).toThrow(errorWith('usage'))
    expect(() => parsePruneRequest(request)).toThrow(names)
  })

  test('is taken as it is', () => {
    const request = { before: 1, filter: { status: 'failed', identityKind: 'survey' }, upTo: '' }
    expect(parsePruneRequest(request)).toEqual(request)
  })
})

test('a process that is no longer retained says how it ended, when it went and what to do', () => {
  const error = noLongerRetained({ id: ID, status: 'failed', prunedAtMs: 0, fence: 1, lastSequence: 2 })
  expect(error).toEqual(errorWith('process_no_longer_retained'))
  expect(error).toMatchObject({ processId: ID, details: { status: 'failed', prunedAtMs: 0 } })
  expect(error.message).toContain('ended as failed and was pruned at 1970-01-01T00:00:00.000Z')
  expect(error.message).toContain('reuse')
})
