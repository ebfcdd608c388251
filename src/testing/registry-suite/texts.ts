import { expect } from 'vitest'
import { isLeaseholdError } from '../../model/errors.ts'
import type { Case } from './harness.ts'
import { TEXTS } from './text-field.ts'
import { TEXTS_OF_OTHERS } from './texts-of-others.ts'
import { TEXTS_OF_REGISTRATIONS } from './texts-of-registrations.ts'
import { TEXTS_OF_ROWS } from './texts-of-rows.ts'
import { entryOf, TEXTS_OF_RUNS } from './texts-of-runs.ts'

const FIELDS = { ...TEXTS_OF_REGISTRATIONS, ...TEXTS_OF_ROWS, ...TEXTS_OF_RUNS, ...TEXTS_OF_OTHERS }

const ADDRESSED = {
  wakeTarget: { sessionId: 's' },
  eventTypes: [
    { name: 'note', payloadSchema: true },
    { name: 'signal.go', payloadSchema: true },
    { name: 'news', payloadSchema: true, semantics: { wake: { input: 'payload' } } },
  ],
} as const

export function textCases(it: Case): void {
  for (const [field, { probe, refused = {}, isKey = false }] of Object.entries(FIELDS)) {
    it(`no text is altered: ${field}`, async world => {
      const found: Record<string, unknown> = {}
      const expected: Record<string, unknown> = {}
      for (const [index, [name, text]] of Object.entries(TEXTS).entries()) {
        const id = await world.register({ id: `p${index}`, ...ADDRESSED })
        const answer = await probe(world, id, text).catch(codeOf)
        found[name] = answer
        const [code] = Object.entries(refused).find(([, names]) => names?.some(one => one === name)) ?? []
        const mayBeRefused = isKey && !text.isWellFormed() && answer === 'usage'
        // However many places it was found in, and at least one.
        const unaltered = typeof answer === 'string' ? [text] : [text, ...answer.slice(1).fill(text)]
        expected[name] = mayBeRefused ? answer : (code ?? unaltered)
      }
      expect(found).toEqual(expected)
    })
  }

  it('a mebibyte comes back whole: as input, event, step value, outcome and environment', async world => {
    const { registry } = world
    const value = 'é🦊\u0000"\\'.repeat(2 ** 17)
    const id = await world.register({
      input: { type: 'engine', kind: 'survey', payload: value },
      ...ADDRESSED,
    })
    const lease = await world.start(id)
    await registry.append(id, { eventType: 'note', payload: value })
    await registry.saveJournalEntry(lease, { ...entryOf(lease), value })
    await registry.completeWithLease(lease, { status: 'completed', value })
    const bytes = Buffer.from(value)
    await registry.putEnv('process-env:sha256:large', bytes)
    const { input, outcome } = await world.record(id)
    const [, event] = await registry.eventsAfter(id, 0)
    const [entry] = await registry.journal(id)
    const env = (await registry.getEnv('process-env:sha256:large')) ?? new Uint8Array()
    const found = [
      Reflect.get(input, 'payload'),
      event?.payload,
      entry?.value,
      Reflect.get(Object(outcome), 'value'),
    ]
    // Not by an assertion of its own each: what differs would be printed.
    expect([...found.map(one => one === value), bytes.equals(env)]).toEqual([true, true, true, true, true])
  })
}

function codeOf(error: unknown): string {
  if (isLeaseholdError(error)) return error.code
  throw error
}
