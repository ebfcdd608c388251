import { describe, expect, test } from 'vitest'
import { replayKeys } from '../../src/model/event.ts'
import { requireSignalName, signalEventType, signalNameOf, signalWaitKey } from '../../src/model/signal.ts'
import { errorWith } from './fixtures.ts'

describe('the name of a signal', () => {
  test.each(['Ready_1-x', 'a', '_', 'x'.repeat(128)])('"%s" is accepted (§6 #66)', name => {
    expect(() => requireSignalName('p', name)).not.toThrow()
  })

  test.each(['', 'a b', 'é', 'a.b', 'a\n', '#', 'x'.repeat(129)])('"%s" is refused (§6 #66)', name => {
    expect(() => requireSignalName('p', name)).toThrow(errorWith('process_signal_name_invalid'))
  })

  test('is that of its event type', () => {
    expect(signalEventType('go')).toBe('signal.go')
    expect(signalNameOf('signal.go')).toBe('go')
    expect(signalNameOf('signals')).toBeUndefined()
  })
})

test('the keys of a signal and of a wait for it', () => {
  expect(replayKeys.signal('p', 'go', 's-1')).toBe('process:p:signal.go:s-1')
  expect(signalWaitKey('p', 'go', { epoch: 0, ordinal: 2 })).toBe('process:p:signal.go:2')
  expect(signalWaitKey('p', 'go', { epoch: 3, ordinal: 2 })).toBe('process:p:signal.go:3:2')
})
