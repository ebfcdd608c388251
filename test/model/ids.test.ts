import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_PROCESS_ID_BYTES, requireProcessId } from '../../src/model/ids.ts'
import { errorWith } from './fixtures.ts'

test.each([
  { title: 'empty', id: '', names: 'blank' },
  { title: 'of blanks', id: ' \u00a0\t', names: 'blank' },
  { title: 'with "#"', id: 'a#b', names: '"#"' },
  { title: 'with a line break', id: 'a\nb', names: 'control character' },
  { title: 'with a NUL', id: 'a\u0000', names: 'control character' },
  { title: 'with half a surrogate pair', id: 'a\ud800', names: 'well-formed' },
  { title: 'of 513 bytes', id: 'a'.repeat(513), names: '513 bytes' },
  { title: 'of 257 two-byte letters', id: 'é'.repeat(257), names: '514 bytes' },
])('an id $title is refused', ({ id, names }) => {
  expect(() => requireProcessId(id)).toThrow(errorWith('process_registration_invalid'))
  expect(() => requireProcessId(id)).toThrow(names)
})

test.each([
  { id: 'survey-42' },
  { id: ' padded ' },
  { id: 'parent.child.0/é:ü' },
  { id: 'a'.repeat(MAX_PROCESS_ID_BYTES) },
  { id: '🦊'.repeat(MAX_PROCESS_ID_BYTES / 4) },
])('the id $id is taken as it is', ({ id }) => {
  expect(requireProcessId(id)).toBe(id)
})

test('an accepted id fits a workflow id and a log line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), id => {
      try {
        requireProcessId(id)
      } catch {
        return
      }
      expect(Buffer.from(id, 'utf8').toString('utf8')).toBe(id)
      expect(Buffer.byteLength(id)).toBeLessThanOrEqual(MAX_PROCESS_ID_BYTES)
      expect(id).not.toMatch(/[\p{Cc}#]/u)
    }),
  )
})

test('the message never repeats an endless id', () => {
  expect(() => requireProcessId('x'.repeat(10_000))).toThrow(/^.{0,400}$/)
})
