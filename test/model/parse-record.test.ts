import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/model/outcome.ts'
import { parseRecord } from '../../src/model/parse-record.ts'
import { errorWith, NOW, owner, record } from './fixtures.ts'

const OUTCOMES: readonly Outcome[] = [
  { status: 'completed', value: null },
  { status: 'failed', class: 'resource_limit', code: 'c', message: 'm', raw: [1] },
  { status: 'cancelled', message: 'm', raw: null },
  { status: 'abandoned', evidence: { writer: 'sweep', owner: owner('ana'), epochMs: NOW } },
  { status: 'abandoned', evidence: { writer: 'engine_gave_up', epochMs: NOW } },
]
const opaque = { ...owner('ben'), liveness: { kind: 'opaque' } } as const

const RECORDS = [
  record(),
  record({
    wakeTarget: { sessionId: 's', agentFrameId: 'f' },
    maxAttempts: 3,
    externalRef: { backend: 'temporal', id: 'w', metadata: { namespace: 'default' } },
    firstStarted: { owner: opaque, attempt: 'a', fence: 1, startedAtMs: NOW },
    cancelRequest: { requestedAtMs: NOW, reason: 'enough' },
    abandonRequest: { requestedBy: 'ana', requestedAtMs: NOW, reason: 'gone' },
    waits: [
      { key: 'nap', sinceMs: NOW, untilMs: NOW + 5, on: { type: 'timer' } },
      { key: 'open', sinceMs: NOW, on: { type: 'timer' } },
      { key: 'go', sinceMs: NOW, on: { type: 'signal', name: 'go' }, satisfiedAtMs: NOW },
      { key: 'child', sinceMs: NOW, on: { type: 'process', processId: 'child' } },
      { key: 'news', sinceMs: NOW, on: { type: 'event', processId: 'child', eventType: 'news', after: 2 } },
      { key: 'step', sinceMs: NOW, on: { type: 'unknown_step', step: 'charge[1]' } },
      { key: 'answer', sinceMs: NOW, on: { type: 'external_key', key: 'k' } },
    ],
    silentSinceMs: NOW,
  }),
  ...OUTCOMES.map(outcome => record({ status: outcome.status, outcome })),
]

test.each(RECORDS)('a record survives its way through JSON ($status)', given => {
  expect(parseRecord(JSON.parse(JSON.stringify(given)))).toStrictEqual(given)
})

describe('a record is refused', () => {
  test.each<{ patch: object; names: string }>([
    { patch: { lease: null }, names: 'no field "lease"' },
    { patch: { id: 'a#1' }, names: 'reserved as a separator' },
    { patch: { status: 'waiting' }, names: '"status" must be one of running' },
    { patch: { disposition: undefined }, names: '"disposition"' },
    { patch: { createdAtMs: '0' }, names: '"createdAtMs" must be a whole number' },
    { patch: { waits: [{ key: 'k', sinceMs: 1, on: { type: 'moon' } }] }, names: '"waits[0].on.type"' },
    { patch: { outcome: { status: 'abandoned' } }, names: '"outcome.evidence" must be an object' },
    {
      patch: { outcome: { status: 'failed', class: 'bad', code: 'c', message: 'm' } },
      names: '"outcome.class"',
    },
    {
      patch: { outcome: { status: 'abandoned', evidence: { writer: 'me', epochMs: 1 } } },
      names: '"outcome.evidence.writer"',
    },
    {
      patch: { firstStarted: { owner: { ...opaque, liveness: {} }, attempt: 'a', fence: 1, startedAtMs: 1 } },
      names: '"firstStarted.owner.liveness.kind" must be one of opaque, local_process',
    },
  ])('that names $names', ({ patch, names }) => {
    expect(() => parseRecord({ ...record(), ...patch })).toThrow(names)
  })

  test('by the code for wrong usage', () => {
    expect(() => parseRecord([])).toThrow(errorWith('usage'))
  })
})
