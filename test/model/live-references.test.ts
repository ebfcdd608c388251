import { expect, test } from 'vitest'
import { byReference, type LiveReferences } from '../../src/model/live-references.ts'

test('references come by the canonical text of their definition, then by environment', () => {
  const sorted: readonly LiveReferences[] = [
    { processCount: 1 },
    { envRef: 'a', processCount: 1 },
    { envRef: 'b', processCount: 1 },
    { definition: 'x', processCount: 1 },
    { definition: 'x', envRef: 'a', processCount: 1 },
    { definition: 7, envRef: 'a', processCount: 1 },
    { definition: null, envRef: 'a', processCount: 1 },
    { definition: { b: 2, a: 1 }, envRef: 'a', processCount: 1 },
    { definition: { a: 2, b: 1 }, envRef: 'a', processCount: 1 },
  ]
  expect(sorted.toReversed().toSorted(byReference)).toEqual(sorted)
})
