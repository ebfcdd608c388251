import { expect, test } from 'vitest'
import type { ProcessId } from '../../src/model/ids.ts'
import type { ProcessRecord } from '../../src/model/process.ts'
import type { Session, SessionEntry } from '../../src/model/session.ts'
import { decideLeaveNews, saidFor, unsaidNews } from '../../src/model/unsaid-news.ts'
import { NOW, stored } from './fixtures.ts'

const wake: ProcessRecord = {
  ...stored().record,
  id: 'wake:1' as ProcessId,
  input: {
    type: 'session_turn',
    createRequest: { sessionId: 's' },
    turnInput: 'the child has ended',
    outputContract: { type: 'string' },
  },
  provenance: {
    originator: { type: 'session', scope: { sessionId: 's' } },
    causedBy: { type: 'process_event', processId: 'child', sequence: 4 },
  },
}
const NEWS = { kind: 'message', message: { role: 'user', content: 'the child has ended' } }

const entry = (turnId: string, more: Record<string, object> = {}): SessionEntry => ({
  kind: 'message',
  message: { role: 'user', content: 'x', ...more },
  position: 1,
  turnId,
  appendedAtMs: NOW,
})

const sent: ProcessRecord = { ...wake, provenance: { originator: { type: 'host' } } }

test.each<[title: string, record: ProcessRecord, entries: readonly SessionEntry[], isLeft: boolean]>([
  ['of a wake, where nothing was said', wake, [], true],
  ['of a wake, among what others said', wake, [entry('other'), { ...entry('other'), message: null }], true],
  ['of a wake that has said something itself', wake, [entry('wake:1')], false],
  [
    'of a wake that another turn took in',
    wake,
    [entry('other', { providerOptions: saidFor('wake:1') })],
    false,
  ],
  ['of another wake than was taken in', wake, [entry('other', { providerOptions: saidFor('wake:2') })], true],
  ['of what a user sent', sent, [], false],
  ['of what is no turn', { ...wake, input: stored().record.input }, [], false],
])('news %s', (_, record, entries, isLeft) => {
  expect(unsaidNews(record, entries)).toEqual(isLeft ? NEWS : undefined)
})

test('news of several stand in their order, after what there is', () => {
  const session: Session = {
    sessionId: 's',
    policy: {},
    pluginOptions: {},
    openFor: 'next',
    lastPosition: 3,
    version: 7,
    createdAtMs: NOW - 9,
    updatedAtMs: NOW,
  }
  const other = { ...wake, id: 'wake:2' as ProcessId }
  const left = decideLeaveNews(session, [other, sent, wake], [entry('turn')], NOW)
  expect(left.session).toEqual({ ...session, lastPosition: 5 })
  expect(left.entries).toEqual([
    { ...NEWS, turnId: 'wake:2', position: 4, appendedAtMs: NOW },
    { ...NEWS, turnId: 'wake:1', position: 5, appendedAtMs: NOW },
  ])
})
