import { describe, expect, test } from 'vitest'
import { buildRegistryEvent } from '../../src/model/event.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { ID, NOW, stored } from '../model/fixtures.ts'
import { insert, STORES } from './store-fixtures.ts'

const OUTCOME: Outcome = { status: 'completed', value: 3 }
const DECLARED = {
  name: 'done',
  payloadSchema: true,
  semantics: { terminal: { state: 'completed' } },
} as const

/** The log says that the process ended, at a time before now; the row does not. */
const WRITTEN_AT = NOW - 5_000

describe.each(STORES)('a terminal event that the row does not show, in the $name store', ({ open }) => {
  test.each(['a declared type, appended', 'an outcome, completed'])(
    'is shown by a replay: %s',
    async which => {
      const isAppend = which.startsWith('a declared')
      const store = await open()
      const registry = createProcessRegistry(store)
      const row = stored({
        eventTypes: [DECLARED],
        ...(isAppend ? {} : { disposition: 'externally_owned' }),
      })
      await insert(store, row)
      const request = isAppend
        ? { eventType: 'done', payload: 3, replayKey: 'k' }
        : {
            eventType: 'process.completed',
            payload: {
              await_output: { status: 'completed', value: 3 },
              completion_authority: { authority: 'external_owner', grantedTo: 's' },
            },
            replayKey: `process:${ID}:terminal:process.completed`,
          }
      const built = buildRegistryEvent(row.record, { ...request, outcome: OUTCOME }, WRITTEN_AT)
      await store.transaction(tx => tx.insertEvent(built))

      if (isAppend) {
        expect(await registry.append(ID, request)).toEqual({ type: 'replayed', event: built.event })
      } else {
        await registry.complete(ID, OUTCOME, { authority: 'external_owner', grantedTo: 's' })
      }
      expect(await registry.get(ID)).toMatchObject({
        status: 'completed',
        outcome: OUTCOME,
        updatedAtMs: WRITTEN_AT,
        lastSequence: 1,
      })
      expect(await registry.eventsAfter(ID, 0)).toEqual([built.event])
    },
  )
})
