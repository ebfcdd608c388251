import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  asJson,
  canonicalJson,
  hashJson,
  type Json,
  jsonBytes,
  jsonEquals,
  toJson,
} from '../../src/model/json.ts'

/** Any JSON value, −0 and odd keys included, as plain objects with prototype. */
const anyJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

/** The same value with the members of each object in the opposite order. */
function reversed(value: Json): Json {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}

describe('canonical JSON', () => {
  test.each([
    { value: { b: 1, a: 2 }, text: '{"a":2,"b":1}' },
    { value: [3, 1, 2], text: '[3,1,2]' },
    { value: -0, text: '0' },
    { value: { nested: { z: [], y: {} } }, text: '{"nested":{"y":{},"z":[]}}' },
    { value: 1e21, text: '1e+21' },
    { value: 0.1, text: '0.1' },
    { value: 'é"\n', text: '"é\\"\\n"' },
    { value: { '\u{10000}': 1, '\uFFFF': 2 }, text: '{"\u{10000}":1,"\uFFFF":2}' },
    { value: { '10': 1, '9': 2 }, text: '{"10":1,"9":2}' },
  ])('of $value is $text', ({ value, text }) => {
    expect(canonicalJson(value)).toBe(text)
  })

  test('is what SHA-256 is taken of, in lower-case hex', () => {
    expect(hashJson({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  })

  test('parses back to an equal value, and is its own canonical form', () => {
    fc.assert(
      fc.property(anyJson, value => {
        const text = canonicalJson(value)
        const parsed: Json = JSON.parse(text)
        expect(canonicalJson(parsed)).toBe(text)
        expect(parsed).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('does not depend on the order of members', () => {
    fc.assert(
      fc.property(anyJson, value => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value))
        expect(hashJson(reversed(value))).toBe(hashJson(value))
      }),
    )
  })

  test('is equal for two values exactly when they are equal as JSON', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (left, right) => {
        const isEqual = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right))
        expect(jsonEquals(left, right)).toBe(isEqual)
      }),
    )
  })
})

/** Sorted by another way than the one under test: through a Map of entries. */
function sorted(value: Json): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return ['array', ...value.map(sorted)]
  const entries = Object.entries(value).map(([key, member]) => [key, sorted(member)] as const)
  return ['object', ...entries.sort(([left], [right]) => (left < right ? -1 : 1))]
}

describe('what a row can hold', () => {
  test('every JSON value goes in and comes back', () => {
    fc.assert(
      fc.property(anyJson, value => {
        const stored = toJson(value)
        expect(stored.ok).toBe(true)
        if (stored.ok) expect(jsonEquals(stored.json, value)).toBe(true)
      }),
    )
  })

  const circular: Record<string, unknown> = {}
  circular.self = circular
  class Money {
    readonly amount = 1
  }
  test.each([
    { title: 'a function', value: { run: () => 1 }, path: 'run', found: 'a function' },
    { title: 'a bigint', value: [1n], path: '[0]', found: 'a bigint' },
    { title: 'a symbol', value: Symbol('x'), path: '(the value itself)', found: 'a symbol' },
    { title: 'NaN', value: { a: [Number.NaN] }, path: 'a[0]', found: 'NaN' },
    { title: 'an infinity', value: -Infinity, path: '(the value itself)', found: '-Infinity' },
    { title: 'a date', value: { at: new Date(0) }, path: 'at', found: 'an instance of Date' },
    { title: 'a map', value: new Map(), path: '(the value itself)', found: 'an instance of Map' },
    { title: 'bytes', value: { raw: new Uint8Array(1) }, path: 'raw', found: 'an instance of Uint8Array' },
    {
      title: 'a class of the user',
      value: { price: new Money() },
      path: 'price',
      found: 'an instance of Money',
    },
    { title: 'a circle', value: circular, path: 'self', found: 'a circular reference' },
    { title: 'undefined in an array', value: [1, undefined], path: '[1]', found: 'undefined in an array' },
    { title: 'half a surrogate pair', value: '\ud800', path: '(the value itself)', found: 'lone surrogate' },
    {
      title: 'half a surrogate pair in a key',
      value: { a: { '\ud800': 1 } },
      path: 'a',
      found: 'lone surrogate',
    },
  ])('$title is refused, saying where', ({ value, path, found }) => {
    const result = toJson(value)
    expect(result).toMatchObject({ ok: false, path, found: expect.stringContaining(found) })
  })

  test.each([
    { title: 'an undefined member is left out', value: { a: 1, b: undefined }, json: { a: 1 } },
    { title: 'undefined itself is null', value: undefined, json: null },
    { title: 'an object without prototype is an object', value: Object.create(null), json: {} },
    {
      title: 'one object used twice is no circle',
      value: [circularFree(), circularFree()],
      json: [{ x: 1 }, { x: 1 }],
    },
  ])('$title', ({ value, json }) => {
    expect(toJson(value)).toEqual({ ok: true, json })
  })

  test('an object used twice beside itself is no circle', () => {
    const shared = circularFree()
    expect(toJson({ left: shared, right: shared })).toMatchObject({ ok: true })
  })

  test('is measured in bytes of UTF-8', () => {
    expect(jsonBytes('é')).toBe(4)
    expect(jsonBytes(asJson({ a: 1 }))).toBe(7)
  })
})

function circularFree(): { x: number } {
  return { x: 1 }
}
