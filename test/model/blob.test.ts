import { describe, expect, test } from 'vitest'
import {
  blobsIn,
  hashBlob,
  isLarge,
  MAX_INLINE_BYTES,
  putBackBlobs,
  type TakenBlob,
  takeOutBlobs,
} from '../../src/model/blob.ts'
import type { Json } from '../../src/model/json.ts'

const large = (letter: string): string => letter.repeat(MAX_INLINE_BYTES)
const half = (letter: string): string => letter.repeat(MAX_INLINE_BYTES / 2)

const roundTrip = (text: string): { taken: ReturnType<typeof takeOutBlobs>; back: string } => {
  const taken = takeOutBlobs(text)
  const texts = new Map(taken.blobs.map(blob => [blob.hash, blob.text]))
  return { taken, back: putBackBlobs(taken.text, hash => texts.get(hash) ?? 'no such blob') }
}

const where = (blobs: readonly TakenBlob[]) => blobs.map(({ path }) => path.join('.'))

describe('a text', () => {
  test.each([
    { what: 'of exactly the most', text: 'x'.repeat(MAX_INLINE_BYTES), expected: false },
    { what: 'of one letter more', text: 'x'.repeat(MAX_INLINE_BYTES + 1), expected: true },
    { what: 'of as many bytes in fewer letters', text: '€'.repeat(MAX_INLINE_BYTES / 3), expected: false },
    { what: 'of more bytes in fewer letters', text: '€'.repeat(MAX_INLINE_BYTES / 3 + 1), expected: true },
  ])('$what is large: $expected', ({ text, expected }) => {
    expect(isLarge(text)).toBe(expected)
  })

  test('that is not large stays as it is', () => {
    const text = JSON.stringify({ a: half('a') })
    expect(takeOutBlobs(text)).toEqual({ text, blobs: [] })
  })
})

describe('taken out', () => {
  const thousands = Array.from({ length: 20_000 }, (_, index) => `number ${index}`)
  const nested = (depth: number): Json =>
    Array.from({ length: depth }).reduce<Json>(inner => ({ inner }), large('x'))

  test.each<{ what: string; value: Json; paths: readonly string[] }>([
    { what: 'a string: itself', value: large('x'), paths: [''] },
    {
      what: 'a wrapped payload: what is wrapped',
      value: { status: 'completed', value: large('x') },
      paths: ['value'],
    },
    { what: 'two large members: each', value: [large('x'), 'y', { z: large('z') }], paths: ['0', '2.z'] },
    { what: 'the same twice: each place', value: [large('x'), large('x')], paths: ['0', '1'] },
    { what: 'many small members: all of them at once', value: { all: thousands }, paths: ['all'] },
    {
      what: 'a large member among many small ones that are large together: all at once',
      value: { wrapped: { a: large('a'), b: half('b'), c: half('c') } },
      paths: ['wrapped'],
    },
    { what: 'what is deep', value: nested(8), paths: [Array.from({ length: 8 }, () => 'inner').join('.')] },
    {
      what: 'what is deeper than it looks: the part that holds it',
      value: nested(20),
      paths: [Array.from({ length: 8 }, () => 'inner').join('.')],
    },
  ])('of $what', ({ value, paths }) => {
    const text = JSON.stringify(value)
    const { taken, back } = roundTrip(text)
    expect(where(taken.blobs)).toEqual(paths)
    expect(blobsIn(taken.text)).toEqual(taken.blobs.map(({ hash }) => hash))
    expect(isLarge(taken.text)).toBe(false)
    for (const blob of taken.blobs) {
      expect(blob.hash).toBe(hashBlob(blob.text))
      expect(blobsIn(blob.text)).toEqual([])
    }
    expect(back === text).toBe(true)
  })

  test('the same payload is the same blob, however it is wrapped', () => {
    const payload = { text: large('x'), note: 'short' }
    const wraps = [payload, { value: payload }, { terminal: { output: { value: [payload] } } }]
    const hashes = wraps.flatMap(wrap => takeOutBlobs(JSON.stringify(wrap)).blobs.map(({ hash }) => hash))
    expect(new Set(hashes).size).toBe(1)
  })

  test('members keep their order and their names, whatever these are', () => {
    const text = `{"1":0,"z":${JSON.stringify(large('z'))},"__proto__":{"a":${JSON.stringify(large('a'))}},"\\u001a":"\\ud800"}`
    const { taken, back } = roundTrip(text)
    expect(where(taken.blobs)).toEqual(['z', '__proto__.a'])
    expect(back === text).toBe(true)
  })

  test('what looks like a reference is none', () => {
    const hash = hashBlob(JSON.stringify(large('x')))
    const text = JSON.stringify([`\u001a${hash}`, large('x'), { [`\u001a${hash}`]: `\u001a${hash}` }])
    const { taken, back } = roundTrip(text)
    expect(blobsIn(taken.text)).toEqual([hash])
    expect(back === text).toBe(true)
  })
})
