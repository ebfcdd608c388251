import { describe, expect, test } from 'vitest'
import { parseRecord } from '../../src/model/parse-record.ts'
import { errorWith, owner, record } from './fixtures.ts'
import { RECORDS } from './full-samples.ts'

test.each(RECORDS)('a record survives its way through JSON ($status)', given => {
  expect(parseRecord(JSON.parse(JSON.stringify(given)))).toStrictEqual(given)
})

const opaque = { ...owner('ben'), liveness: { kind: 'opaque' } } as const

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
