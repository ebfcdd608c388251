import { expect } from 'vitest'
import { wakeOn } from '../../model/event.ts'
import type { EventSemantics } from '../../model/event-semantics.ts'
import type { ProcessInput } from '../../model/process.ts'
import type { CausalRef } from '../../model/provenance.ts'
import { MAX_PAYLOAD_BYTES, type RegistrationRequest } from '../../model/registration.ts'
import { EXTERNAL, registration, sessionTurn } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const note = { name: 'note', payloadSchema: true }
const toolCall: ProcessInput = {
  type: 'tool_call',
  call: { callId: 'c1', toolName: 'search', args: { q: 'x' } },
}

const withoutEnvironment = (input: ProcessInput): RegistrationRequest => {
  const { envRef: _, ...rest } = registration({ input })
  return rest
}

const declaring = (semantics: EventSemantics, name = 'done'): RegistrationRequest =>
  registration({ eventTypes: [{ ...note, name, semantics }] })

const withoutDisposition = (): RegistrationRequest => {
  const request = registration()
  Reflect.deleteProperty(request, 'disposition')
  return request
}

const INVALID: Readonly<Record<string, RegistrationRequest>> = {
  'an id of blanks (§6 #4)': registration({ id: '  ' }),
  'an id with "#" (§6 #5)': registration({ id: 'a#1' }),
  'no disposition (§6 #10)': withoutDisposition(),
  'a field that nobody knows': Object.assign(registration(), { retries: 3 }),
  'an input that JSON cannot carry': registration({
    input: { type: 'engine', kind: 'survey', payload: Number.NaN },
  }),
  'a tool call without environment (§6 #6)': withoutEnvironment(toolCall),
  'an engine without environment (§6 #6)': withoutEnvironment(registration().input),
  'external work with an environment (§6 #7)': registration({ ...EXTERNAL, envRef: 'process-env:sha256:00' }),
  'a session turn with an environment (§6 #7)': registration({
    input: sessionTurn(),
    envRef: 'process-env:sha256:00',
  }),
  'an identity without a kind': registration({ identity: { kind: ' ' } }),
  'an originator without a session': registration({
    provenance: { originator: { type: 'session', scope: { sessionId: '' } } },
  }),
  'a cause without its id': registration({
    provenance: { originator: { type: 'host' }, causedBy: { type: 'process', processId: ' ' } },
  }),
  'a wake target without a session': registration({ wakeTarget: { sessionId: ' ' } }),
  'a wake target that reads as the frame of another session': registration({
    wakeTarget: { sessionId: 's/frame:f' },
  }),
  'an event type declared twice (§6 #8)': registration({ eventTypes: [note, note] }),
  'a blank event type (§6 #8)': registration({ eventTypes: [{ ...note, name: ' ' }] }),
  'an end as failed without its reason (§6 #9)': declaring({ terminal: { state: 'failed' } }),
  'an end as cancelled without its reason (§6 #9)': declaring({ terminal: { state: 'cancelled' } }),
  'an end as abandoned without its evidence (§6 #9)': declaring({ terminal: { state: 'abandoned' } }),
  'a selector that is no JSON Pointer': declaring({ wake: { input: { pointer: 'text' } } }),
  'a signal with a blank in its name (§6 #66)': declaring({}, 'signal.go on'),
  'a core event type that ends in another way': registration({
    eventTypes: [
      { name: 'process.failed', payloadSchema: true, semantics: { terminal: { state: 'completed' } } },
    ],
  }),
  'a budget of no attempts': registration({ maxAttempts: 0 }),
}

const IDENTITIES: readonly { input: ProcessInput; identity: object }[] = [
  { input: toolCall, identity: { kind: 'tool', label: 'search' } },
  { input: { type: 'engine', kind: 'survey', payload: null }, identity: { kind: 'survey' } },
  {
    input: sessionTurn({ sessionId: 's', usageSource: 'billing', subagent: { capability: 'reviewer' } }),
    identity: { kind: 'session_turn', label: 'reviewer' },
  },
  {
    input: sessionTurn({ sessionId: 's', usageSource: 'billing', subagent: {} }),
    identity: { kind: 'session_turn', label: 'billing' },
  },
  { input: sessionTurn({ sessionId: 's' }), identity: { kind: 'session_turn', label: 's' } },
  { input: sessionTurn(), identity: { kind: 'session_turn' } },
  {
    input: { type: 'external', metadata: { title: 'a form' } },
    identity: { kind: 'external', label: 'a form' },
  },
]

const CAUSES: readonly CausalRef[] = [
  { type: 'turn', sessionId: 's', turnId: 't' },
  { type: 'effect', sessionId: 's', effectId: 'e' },
  { type: 'effect', sessionId: 's', turnId: 't', effectId: 'e' },
  { type: 'tool_call', sessionId: 's', callId: 'c' },
  { type: 'process', processId: 'q' },
  { type: 'process_event', processId: 'q', sequence: 3 },
  { type: 'trigger_occurrence', occurrenceId: 'o' },
  {
    type: 'trigger_occurrence',
    occurrenceId: 'o',
    subscriptionId: 'u',
    subscriptionIncarnation: 'i',
    subscriptionRevision: 2,
  },
  { type: 'session_node', sessionId: 's', nodeId: 'n' },
]

export function registrationCases(it: Case): void {
  it('a fresh row is running, and nothing has happened to it (§6 #20)', async ({ registry, clock }) => {
    const request = registration({ disposition: 'owner_bound', maxAttempts: 3 })
    const { type, record } = await registry.register(request)
    expect(type).toBe('registered')
    const expected = { ...request, eventTypes: expect.anything(), status: 'running', waits: [], attempts: 0 }
    expect(record).toMatchObject({
      ...expected,
      lastSequence: 0,
      createdAtMs: clock.now(),
      updatedAtMs: clock.now(),
    })
    for (const absent of ['outcome', 'firstStarted', 'externalRef', 'cancelRequest', 'abandonRequest']) {
      expect(record).not.toHaveProperty(absent)
    }
    expect(await registry.getLease('p')).toBeUndefined()
    expect(await registry.eventsAfter('p', 0)).toEqual([])
  })

  it('the row that is read is the row that was answered', async ({ registry }) => {
    const { record } = await registry.register(
      registration({ wakeTarget: { sessionId: 's', agentFrameId: 'f' } }),
    )
    const { changeSeq: _, ...answered } = record
    expect(await registry.get('p')).toMatchObject(answered)
  })

  it('the same registration again returns the same row and changes nothing (§6 #1)', async world => {
    const { registry, clock } = world
    await world.register()
    clock.advance(5)
    await unchanged(world, 'p', async () => {
      const again = await registry.register(registration())
      expect(again).toEqual({ type: 'existing', record: await registry.get('p') })
    })
  })

  it('a member left undefined is no member, on the row and in what counts as the same', async world => {
    const payload = JSON.parse('{"dir":"."}')
    const { record } = await world.registry.register(
      registration({ input: { type: 'engine', kind: 'survey', payload: { ...payload, depth: undefined } } }),
    )
    expect(record.input).toStrictEqual({ type: 'engine', kind: 'survey', payload })
    expect(await world.registry.register(registration())).toMatchObject({ type: 'existing' })
  })

  it('one more event type is another registration, and is refused (§6 #2)', async world => {
    await world.register()
    const more = registration({ eventTypes: [note, { name: 'more', payloadSchema: true }] })
    await unchanged(world, 'p', () => refused(world.registry.register(more), 'process_registration_conflict'))
  })

  it('the same request is enough where the rest was captured', async world => {
    await world.register()
    const captured = registration({ envRef: 'process-env:sha256:01' })
    await unchanged(world, 'p', async () => {
      expect((await world.registry.register(captured, { sameId: 'request' })).type).toBe('existing')
    })
    await refused(world.registry.register(captured, { sameId: 'whole' }), 'process_registration_conflict')
    const other = registration({ disposition: 'owner_bound' })
    await refused(world.registry.register(other, { sameId: 'request' }), 'process_registration_conflict')
  })

  it('an ended process is still the process of its id', async ({ registry, register, run }) => {
    const lease = await run(await register())
    await registry.completeWithLease(lease, { status: 'completed', value: null })
    const again = await registry.register(registration())
    expect(again).toMatchObject({ type: 'existing', record: { status: 'completed' } })
  })

  it('the seven core event types are declared on every row (§6 #3)', async ({ registry }) => {
    const { record } = await registry.register(registration({ eventTypes: [] }))
    const stops = ['cancel_requested', 'waiting', 'resumed', 'completed', 'failed', 'cancelled', 'abandoned']
    expect(record.eventTypes.map(({ name }) => name)).toEqual(stops.map(name => `process.${name}`))
  })

  for (const [what, request] of Object.entries(INVALID)) {
    it(`${what} is refused`, async ({ registry }) => {
      await refused(registry.register(request), 'process_registration_invalid')
      expect(await registry.list({ status: 'any' })).toEqual({ records: [] })
    })
  }

  it('an end as completed may take its whole payload (§6 #9)', async ({ registry }) => {
    const { record } = await registry.register(declaring({ terminal: { state: 'completed' } }))
    expect(record.eventTypes[0]).toMatchObject({ semantics: { terminal: { state: 'completed' } } })
  })

  it('a core event type may be given a wake, and keeps what it is', async ({ registry }) => {
    const type = wakeOn('process.failed', { input: 'payload' })
    const { record } = await registry.register(registration({ eventTypes: [type] }))
    expect(record.eventTypes).toHaveLength(7)
    expect(record.eventTypes.find(({ name }) => name === 'process.failed')).toMatchObject({
      semantics: { terminal: { state: 'failed' }, wake: { input: 'payload' } },
    })
  })

  for (const { input, identity } of IDENTITIES) {
    it(`${input.type} input gives ${JSON.stringify(identity)} (§6 #14)`, async ({ registry }) => {
      const disposition = input.type === 'external' ? 'externally_owned' : 'rerunnable'
      const { record } = await registry.register(registration({ input, disposition }))
      expect(record.identity).toEqual(identity)
    })
  }

  for (const causedBy of CAUSES) {
    it(`${JSON.stringify(causedBy)} is kept as the cause`, async ({ registry, register, record }) => {
      const originator = { type: 'session', scope: { sessionId: 's', agentFrameId: 'f' } } as const
      const provenance = { originator, causedBy, hostProfileId: 'laptop' }
      const id = await register({ provenance })
      expect((await record(id)).provenance).toEqual(provenance)
      expect(await registry.register(registration({ provenance }))).toMatchObject({ type: 'existing' })
    })
  }

  it('an empty frame is no frame, on the row and in what counts as the same', async world => {
    const scope = (agentFrameId: string) => ({ sessionId: 's', agentFrameId })
    const request = (frame: string) =>
      registration({
        provenance: { originator: { type: 'session', scope: scope(frame) } },
        wakeTarget: scope(frame),
      })
    const { record } = await world.registry.register(request(''))
    expect(record).toMatchObject({ wakeTarget: { sessionId: 's' } })
    expect(record.wakeTarget).not.toHaveProperty('agentFrameId')
    const { agentFrameId: _, ...bare } = scope('')
    const again = { ...request(''), wakeTarget: bare }
    expect(await world.registry.register(again)).toMatchObject({ type: 'existing' })
    await refused(world.registry.register(request('f')), 'process_registration_conflict')
  })

  for (const definition of [null, { script: 'a', version: 1 }, 'a', 0]) {
    it(`the definition ${JSON.stringify(definition)} is kept in the identity`, async ({
      register,
      record,
    }) => {
      const identity = { kind: 'script', definition }
      expect((await record(await register({ identity }))).identity).toEqual(identity)
    })
  }

  it('an input above the limit is refused, and nothing is stored', async ({ registry }) => {
    const payload = 'x'.repeat(MAX_PAYLOAD_BYTES)
    const request = registration({ input: { type: 'engine', kind: 'survey', payload } })
    await refused(registry.register(request), 'payload_too_large')
    expect(await registry.get('p')).toBeUndefined()
  })

  it('two identical registrations at once make one row, and both callers get it (§6 #13)', async ({
    registry,
  }) => {
    const results = await Promise.all([registry.register(registration()), registry.register(registration())])
    expect(results.map(({ type }) => type).sort()).toEqual(['existing', 'registered'])
    expect(new Set(results.map(({ record }) => record.incarnation)).size).toBe(1)
    expect((await registry.list()).records).toHaveLength(1)
  })

  it('of two different registrations at once, one is refused', async ({ registry }) => {
    const other = registration({ disposition: 'owner_bound' })
    const results = await Promise.allSettled([registry.register(registration()), registry.register(other)])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await registry.list()).records).toHaveLength(1)
  })

  it('every life of an id has an incarnation of its own', async ({ register, record }) => {
    const ids = [await register({ id: 'a' }), await register({ id: 'b' })]
    const lives = await Promise.all(ids.map(async id => (await record(id)).incarnation))
    expect(new Set(lives).size).toBe(2)
  })
}
