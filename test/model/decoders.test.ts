/** A decoder that dropped what it does not know would lose what somebody meant: each refuses it, by name, at every depth. */
import { describe, expect, test } from 'vitest'
import { newGrant } from '../../src/model/grant.ts'
import { parseListFilter } from '../../src/model/list.ts'
import { parseRegistration } from '../../src/model/parse-registration.ts'
import { parsePruneRequest } from '../../src/model/retention.ts'
import { ID } from './fixtures.ts'
import { REGISTRATIONS } from './full-samples.ts'
import { UNHEARD_OF, withUnheardOf } from './unheard-of.ts'

const FILTER = {
  status: 'failed',
  waiting: true,
  silent: false,
  identityKind: 'k',
  identityLabel: 'l',
  definition: { version: 1 },
  originatorScopeId: 'host',
  causedByOccurrenceId: 'o',
  causedBySubscriptionId: 's',
  createdAtStartMs: 1,
  createdAtEndMs: 2,
}

/** Each with samples that have every member, and where in them a member of any name is nobody's but the caller's. */
const DECODERS: readonly {
  readonly decoder: string
  readonly decode: (value: unknown) => unknown
  readonly samples: readonly unknown[]
  readonly open: readonly string[]
}[] = [
  {
    decoder: 'a registration',
    decode: parseRegistration,
    samples: REGISTRATIONS,
    open: [
      'input.call.prepared',
      'identity.definition',
      'eventTypes[].payloadSchema',
      'input.createRequest.policy',
      'input.createRequest.pluginOptions',
      'input.createRequest.pluginOptions.plugin',
      'input.outputContract',
      'input.metadata',
      'input.payload',
    ],
  },
  { decoder: 'a list filter', decode: parseListFilter, samples: [FILTER], open: ['definition'] },
  {
    decoder: 'a prune request',
    decode: parsePruneRequest,
    samples: [{ before: 1, filter: { status: 'any', definition: { version: 1 } }, upTo: 'c' }],
    open: ['filter.definition'],
  },
  {
    decoder: 'a handle descriptor',
    decode: value => newGrant({ sessionId: 's' }, ID, value as Parameters<typeof newGrant>[2]),
    samples: [{ kind: 'k', label: 'l' }],
    open: [],
  },
]

describe('what nobody knows is refused by name, wherever it stands', () => {
  test.each(DECODERS)('in $decoder', ({ decode, samples, open }) => {
    const taken = new Set<string>()
    for (const { at, value } of samples.flatMap(sample => [...withUnheardOf(sample)])) {
      try {
        decode(value)
        taken.add(at)
      } catch (error) {
        // The fields of a template are named by its producer, and each is a selector.
        const isField = at.endsWith('.fields')
        expect(String(error), at).toContain(isField ? `fields.${UNHEARD_OF}" must be a selector` : UNHEARD_OF)
      }
    }
    expect([...taken].toSorted()).toEqual(open.toSorted())
  })
})
