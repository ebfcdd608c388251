import { describe, expect, test } from 'vitest'
import { parseRegistration } from '../../src/model/parse-registration.ts'
import { errorWith, registration } from './fixtures.ts'
import { REGISTRATIONS } from './full-samples.ts'

test.each(REGISTRATIONS)('$input.type input and all beside it are taken as they are', request => {
  expect(parseRegistration(JSON.parse(JSON.stringify(request)))).toStrictEqual(request)
})

test('what JSON leaves out is left out', () => {
  const input = { type: 'engine', kind: 'survey', payload: { dir: '.', depth: undefined } }
  expect(parseRegistration({ ...registration(), input, maxAttempts: undefined })).toStrictEqual(
    registration(),
  )
})

describe('a registration is refused', () => {
  const at = (path: string, value: unknown): unknown => {
    const request = structuredClone<unknown>(REGISTRATIONS[0])
    const names = path.split('.')
    const last = names.pop() ?? ''
    const holder = names.reduce((object, name) => Reflect.get(Object(object), name), request)
    if (value === undefined) Reflect.deleteProperty(Object(holder), last)
    else Reflect.set(Object(holder), last, value)
    return request
  }

  test.each<{ input: unknown; names: string }>([
    { input: null, names: 'must be an object; found null' },
    { input: 'p', names: 'must be an object; found "p"' },
    { input: [], names: 'must be an object; found an array' },
    { input: at('disposition', undefined), names: 'there is no default; found nothing' },
    { input: at('disposition', 'always'), names: '"disposition" must be one of rerunnable' },
    { input: at('id', undefined), names: '"id" must be a string' },
    { input: at('id', 7), names: '"id" must be a string; found 7' },
    { input: at('id', '\ud800'), names: '"id" must be well-formed' },
    { input: at('name', 'x'), names: 'no field "name". Known there: id, input' },
    { input: at('input.type', 'script'), names: '"input.type" must be one of tool_call, engine' },
    { input: at('input.type', undefined), names: '"input.type" must be one of' },
    { input: at('input', undefined), names: '"input" must be an object' },
    { input: at('input.call.args', undefined), names: '"input.call.args" must be JSON; found nothing' },
    { input: at('input.call.args', { a: [1n] }), names: 'at a[0] it is a bigint' },
    { input: at('input.call.toolNam', 'x'), names: '"input.call.toolNam"' },
    { input: at('identity.definition', Number.NaN), names: '"identity.definition" must be JSON' },
    { input: at('eventTypes', {}), names: '"eventTypes" must be an array; found an object' },
    { input: at('eventTypes.1.name', 1), names: '"eventTypes[1].name"' },
    { input: at('eventTypes.1.terminal', 'failed'), names: '"eventTypes[1].terminal"' },
    {
      input: at('eventTypes.1.semantics.terminal.state', 'ended'),
      names: '"eventTypes[1].semantics.terminal.state" must be one of',
    },
    {
      input: at('eventTypes.1.semantics.wake.input', '/text'),
      names: '"eventTypes[1].semantics.wake.input" must be a selector',
    },
    {
      input: at('eventTypes.1.semantics.wake.input.fields.a', {}),
      names: '"eventTypes[1].semantics.wake.input.fields.a" must be a selector',
    },
    {
      input: at('eventTypes.1.semantics.wake.when', { present: '/a', pointer: '/b' }),
      names: '"eventTypes[1].semantics.wake.when.present"',
    },
    {
      input: at('eventTypes.1.semantics.wake.dedupeKey', 'each'),
      names: '"eventTypes[1].semantics.wake.dedupeKey" must be an object',
    },
    { input: at('provenance', undefined), names: '"provenance" must be an object' },
    { input: at('provenance.originator.type', 'user'), names: '"provenance.originator.type" must be one of' },
    { input: at('provenance.originator.scope.frame', 'x'), names: '"provenance.originator.scope.frame"' },
    { input: at('provenance.causedBy.sessionId', 's'), names: '"provenance.causedBy.sessionId"' },
    {
      input: at('provenance.causedBy.subscriptionRevision', 1.5),
      names: '"provenance.causedBy.subscriptionRevision" must be a whole number; found 1.5',
    },
    { input: at('provenance.hostProfileId', null), names: '"provenance.hostProfileId" must be a string' },
    { input: at('wakeTarget', 's'), names: '"wakeTarget" must be an object' },
    { input: at('maxAttempts', '3'), names: '"maxAttempts" must be a whole number' },
    { input: at('maxAttempts', 2 ** 60), names: '"maxAttempts" must be a whole number' },
    { input: at('toString', 'x'), names: '"toString"' },
  ])('that names $names', ({ input, names }) => {
    expect(() => parseRegistration(input)).toThrow(errorWith('process_registration_invalid'))
    expect(() => parseRegistration(input)).toThrow(names)
  })

  test('without a word of a long value, or of what an object holds', () => {
    const secret = 'x'.repeat(60)
    expect(() => parseRegistration(at('disposition', secret))).toThrow('"xxxxx')
    expect(() => parseRegistration(at('disposition', secret))).not.toThrow(secret)
    expect(() => parseRegistration(at('disposition', { secret }))).not.toThrow('xxxxx')
  })
})
