import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/model/json.ts'
import {
  findSelectorProblem,
  isTruthy,
  resolvePointer,
  type Selector,
  select,
  stringify,
} from '../../src/model/selector.ts'

const pick = (selector: Selector, payload: Json) =>
  select(selector, payload, problem => new Error(`told: ${problem}`))

describe('a JSON Pointer (RFC 6901)', () => {
  // The document and most of the pointers are the RFC's own, section 5.
  const document: Json = {
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'e^f': 3,
    'i\\j': 5,
    'k"l': 6,
    ' ': 7,
    'm~n': 8,
    nothing: null,
  }

  test.each<[string, Json]>([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/nothing', null],
  ])('"%s" names what is there', (pointer, value) => {
    expect(resolvePointer(pointer, document)).toEqual(value)
  })

  test.each([
    '/none',
    '/foo/2',
    '/foo/-',
    '/foo/01',
    '/foo/length',
    '/foo/bar',
    '/toString',
    '/__proto__',
    '/nothing/x',
    '/foo/0/0',
    '/foo/',
  ])('"%s" names nothing', pointer => {
    expect(resolvePointer(pointer, document)).toBeUndefined()
  })

  test('unescapes once: "~01" is "~1"', () => {
    expect(resolvePointer('/~01', { '~1': 'tilde one', '/': 'slash' })).toBe('tilde one')
  })
})

describe('a selector', () => {
  const payload: Json = { who: 'ana', size: 3, parts: ['a', { b: null }] }

  test.each<{ selector: Selector; value: Json }>([
    { selector: 'payload', value: payload },
    { selector: { pointer: '/parts/1/b' }, value: null },
    { selector: { const: { x: [1] } }, value: { x: [1] } },
    { selector: { const: null }, value: null },
    { selector: { present: '/parts/1/b' }, value: true },
    { selector: { present: '/parts/2' }, value: false },
    {
      selector: {
        template: '{who} found {n} in {parts}',
        fields: { who: { pointer: '/who' }, n: { pointer: '/size' }, parts: { pointer: '/parts' } },
      },
      value: 'ana found 3 in ["a",{"b":null}]',
    },
    {
      selector: { template: '{unknown} {} {{who}}', fields: { who: { pointer: '/who' } } },
      value: '{unknown} {} {ana}',
    },
    {
      selector: { template: '{a}{b}', fields: { a: { const: '{b}' }, b: { const: '!' } } },
      value: '{b}!',
    },
    { selector: { template: '{toString}', fields: {} }, value: '{toString}' },
    {
      selector: { template: '<{t}>', fields: { t: { template: '{w}', fields: { w: { pointer: '/who' } } } } },
      value: '<ana>',
    },
  ])('$selector picks $value', ({ selector, value }) => {
    expect(pick(selector, payload)).toEqual(value)
  })

  test.each<Selector>([{ pointer: '/none' }, { template: '{x}', fields: { x: { pointer: '/none' } } }])(
    '%j that names nothing fails, and says what',
    selector => {
      expect(() => pick(selector, payload)).toThrow('told: the pointer "/none" names nothing')
    },
  )

  test.each<{ selector: unknown }>([
    { selector: 'whole' },
    { selector: null },
    { selector: {} },
    { selector: { pointer: 'x' } },
    { selector: { pointer: '/a~2' } },
    { selector: { pointer: '/a~' } },
    { selector: { pointer: 7 } },
    { selector: { present: 'x' } },
    { selector: { template: '{a}' } },
    { selector: { template: 7, fields: {} } },
    { selector: { template: '{a}', fields: { a: { pointer: 'x' } } } },
  ])('declared as $selector is refused', ({ selector }) => {
    expect(findSelectorProblem(selector)).toEqual(expect.any(String))
  })

  test.each<{ selector: Selector }>([
    { selector: 'payload' },
    { selector: { pointer: '' } },
    { selector: { pointer: '/a~1b/0' } },
    { selector: { const: null } },
    { selector: { present: '/a' } },
    { selector: { template: '{a}', fields: { a: { const: 1 } } } },
  ])('declared as $selector is accepted', ({ selector }) => {
    expect(findSelectorProblem(selector)).toBeUndefined()
  })
})

test.each<{ value: Json; is: boolean }>([
  { value: null, is: false },
  { value: false, is: false },
  { value: true, is: true },
  { value: '', is: false },
  { value: ' ', is: true },
  { value: 0, is: true },
  { value: -1, is: true },
  { value: [], is: false },
  { value: [null], is: true },
  { value: {}, is: false },
  { value: { a: null }, is: true },
])('$value counts as $is', ({ value, is }) => {
  expect(isTruthy(value)).toBe(is)
})

test.each<{ value: Json; text: string }>([
  { value: 'as it is', text: 'as it is' },
  { value: null, text: 'null' },
  { value: { a: [1, 'b'] }, text: '{"a":[1,"b"]}' },
])('$value is the text $text', ({ value, text }) => {
  expect(stringify(value)).toBe(text)
})
