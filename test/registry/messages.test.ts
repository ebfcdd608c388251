/** What people are told: for each code of the registry and each rule of a registration, the message as it is. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { isLeaseholdError, type LeaseholdError } from '../../src/model/errors.ts'
import type { Json } from '../../src/model/json.ts'
import type { ProcessLease } from '../../src/model/lease.ts'
import { MAX_PAYLOAD_BYTES, type RegistrationRequest } from '../../src/model/registration.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry, type ProcessRegistry } from '../../src/registry/registry.ts'
import {
  ANA,
  BEN,
  COMPLETED,
  EXTERNAL,
  registration,
  sessionTurn,
  TTL,
} from '../../src/testing/registry-suite/fixtures.ts'

const TERMINAL = {
  name: 'done',
  payloadSchema: true,
  semantics: { terminal: { state: 'completed' } },
} as const
const EVENT_TYPES = [
  { name: 'note', payloadSchema: { type: 'object', required: ['text'] } },
  { name: 'pick', payloadSchema: true, semantics: { wake: { input: { pointer: '/text' } } } },
  { name: 'signal.go', payloadSchema: true },
  TERMINAL,
]
const AUTHORITY = { authority: 'workflow_key', workflowKey: 'p' } as const

async function claimed(registry: ProcessRegistry): Promise<ProcessLease> {
  const answer = await registry.claim('p', ANA, TTL)
  return answer.type === 'acquired' ? answer.lease : expect.fail(answer.type)
}
const end = (registry: ProcessRegistry) => registry.complete('p', COMPLETED, AUTHORITY)

/** Each refused by the code that it stands under; the process `p` is there. */
const REFUSALS: Readonly<Record<string, (registry: ProcessRegistry) => Promise<unknown>>> = {
  process_unknown: registry => registry.requestCancel('ghost'),
  process_registration_conflict: registry =>
    registry.register(registration({ eventTypes: EVENT_TYPES, disposition: 'owner_bound' })),
  async process_external_ref_conflict(registry) {
    await registry.setExternalRef('p', { backend: 'temporal', id: 'a' })
    await registry.setExternalRef('p', { backend: 'temporal', id: 'b' })
  },
  process_handle_not_granted: registry =>
    registry.transferGrants(['p'], { from: { sessionId: 's' }, to: { sessionId: 't' } }),
  session_scope_invalid: registry => registry.grant({ sessionId: ' ' }, 'p'),
  process_event_undeclared: registry => registry.append('p', { eventType: 'nothing', payload: null }),
  process_event_schema: registry => registry.append('p', { eventType: 'note', payload: {} }),
  process_event_replay_required: registry => registry.append('p', { eventType: 'done', payload: null }),
  async process_event_replay_conflict(registry) {
    for (const text of ['a', 'b']) {
      await registry.append('p', { eventType: 'note', payload: { text }, replayKey: 'k' })
    }
  },
  process_event_selector: registry => registry.append('p', { eventType: 'pick', payload: {} }),
  async process_already_terminal(registry) {
    await end(registry)
    await registry.append('p', { eventType: 'done', payload: 1, replayKey: 'k' })
  },
  async process_lease_lost(registry) {
    const lease = await claimed(registry)
    await registry.release(lease)
    const other = await registry.claim('p', BEN, TTL)
    expect(other.type).toBe('acquired')
    await registry.renew(lease, TTL)
  },
  async process_lease_busy(registry) {
    await claimed(registry)
    await end(registry)
  },
  process_authority_rejected: registry =>
    registry.complete('p', COMPLETED, { authority: 'external_owner', grantedTo: 'ana' }),
  async process_wait_on_terminal(registry) {
    await end(registry)
    await registry.setWait('p', { key: 'w', sinceMs: 1, on: { type: 'timer' } })
  },
  async process_abandon_on_terminal(registry) {
    await end(registry)
    await registry.requestAbandon('p', { requestedBy: 'ana' })
  },
  process_signal_name_invalid: registry => registry.signal('p', 'go on', null),
  payload_too_large: registry => registry.signal('p', 'go', 'x'.repeat(MAX_PAYLOAD_BYTES)),
}

async function refusalOf(act: (registry: ProcessRegistry) => Promise<unknown>): Promise<LeaseholdError> {
  const registry = createProcessRegistry(createMemoryStore({ clock: () => 1_000 }))
  onTestFinished(() => registry.close())
  await registry.register(registration({ eventTypes: EVENT_TYPES }))
  const error = await act(registry).then(
    () => expect.fail('it was not refused'),
    error => error,
  )
  return isLeaseholdError(error) ? error : expect.fail(String(error))
}

describe('a refusal', () => {
  test.each(Object.keys(REFUSALS))('%s bears its code and the process', async code => {
    const refusal = await refusalOf(REFUSALS[code] ?? expect.fail())
    expect(refusal.code).toBe(code)
    expect(refusal.message).toMatch(/\.$/)
    if (code !== 'session_scope_invalid') {
      expect(refusal.processId).toBe(code === 'process_unknown' ? 'ghost' : 'p')
    }
  })

  test('says what was expected, what was found and what to do', async () => {
    const messages = await Promise.all(
      Object.values(REFUSALS).map(async act => (await refusalOf(act)).message),
    )
    expect(messages).toMatchInlineSnapshot(`
      [
        "No process "ghost" in this registry. Check the id, and that this is the registry it was started in.",
        "Process "p" is already registered with another disposition (rerunnable against owner_bound) (hash d4c59ed3412b… against ba7354aac128…). Use a new id for new work; the existing process was not touched.",
        "Process "p" is already bound to temporal "a"; it cannot be bound to temporal "b" as well.",
        "Process "p" is not granted to session "s", so nothing was transferred. Grant it first, or leave it out.",
        "The session scope names no session.",
        "Process "p" declares no event type "nothing". Declare it where its kind is defined.",
        "The payload of "note" does not fit its declared schema: the payload must have required property 'text'.",
        ""done" needs a replay key, so that the same request made twice is one event.",
        "Replay key "k" of process "p" already names event #1 (note) with another payload. Use a new key for a new event.",
        "The event "pick" does not fit what its type declares it to mean: the pointer "/text" names nothing in its payload. Append a payload that fits, or change the declaration where its kind is defined.",
        "Process "p" is already terminal: it ended as completed. The first outcome stays.",
        "The lease of process "p" (fence 1) is missing or expired: the stored one is ben's, fence 2, live. Nothing was written; whoever holds the lease now goes on.",
        "Process "p" is running under ana's lease (fence 1). Cancel it, or wait for that lease to end.",
        "Authority "external_owner" may not write "completed" on process "p", which is rerunnable. Its own code ends it, under its lease: cancel it, or ask to abandon it, instead.",
        "Process "p" already ended as completed; it waits for nothing any more.",
        "Process "p" already ended as completed; there is nothing to abandon.",
        "The signal name "go on" for process "p" is not made of ASCII letters, digits, "_" and "-".",
        "The payload of signal "go" of process "p" has 16777218 bytes; the limit is 16777216. Store it elsewhere and pass a reference.",
      ]
    `)
  })
})

const engine = (payload: Json) => ({ type: 'engine', kind: 'survey', payload }) as const
const declaring = (type: object): Partial<RegistrationRequest> => ({
  eventTypes: [Object.assign({ name: 'x', payloadSchema: true }, type)],
})
const without = (...names: readonly string[]): Partial<RegistrationRequest> =>
  Object.fromEntries(names.map(name => [name, undefined]))

/** One for each rule. */
const INVALID: readonly object[] = [
  { id: ' ' },
  { id: 'a#1' },
  { id: 'a\nb' },
  { id: 'a\ud800' },
  { id: 'é'.repeat(257) },
  without('disposition'),
  without('envRef'),
  { envRef: '' },
  { ...EXTERNAL, envRef: 'process-env:sha256:00' },
  { input: sessionTurn(), envRef: 'process-env:sha256:00' },
  { identity: { kind: ' ' } },
  declaring({ name: ' ' }),
  declaring({ name: 'x'.repeat(201) }),
  declaring({ name: 'process.first_started' }),
  declaring({ name: 'process.failed' }),
  declaring({ name: 'signal.go on' }),
  declaring({ name: `signal.${'x'.repeat(129)}` }),
  declaring({ semantics: { terminal: { state: 'failed' } } }),
  declaring({ semantics: { wake: { input: { pointer: 'text' } } } }),
  { eventTypes: [TERMINAL, TERMINAL] },
  { maxAttempts: 0 },
  { maxAttempts: 1.5 },
  { wakeTarget: { sessionId: '' } },
  { provenance: { originator: { type: 'session', scope: { sessionId: 's/frame:f' } } } },
  { provenance: { originator: { type: 'host' }, causedBy: { type: 'process', processId: ' ' } } },
  { input: engine(Number.NaN) },
  { input: engine('x'.repeat(MAX_PAYLOAD_BYTES)) },
]

test('a registration that breaks a rule is told which, and nothing of it is stored', async () => {
  const registry = createProcessRegistry(createMemoryStore())
  onTestFinished(() => registry.close())
  const messages: string[] = []
  for (const patch of INVALID) {
    const request = { ...registration(), ...patch }
    const error = await registry.register(request).catch(error => error)
    messages.push(isLeaseholdError(error) ? `${error.code}: ${error.message}` : String(error))
  }
  expect((await registry.list({ status: 'any' })).records).toEqual([])
  expect(messages).toMatchInlineSnapshot(`
    [
      "process_registration_invalid: The process id " " is blank. Choose an id of 1 to 512 bytes without "#" and control characters, or give none to have one made.",
      "process_registration_invalid: The process id "a#1" contains "#", which is reserved as a separator. Choose an id of 1 to 512 bytes without "#" and control characters, or give none to have one made.",
      "process_registration_invalid: The process id "a\\nb" contains a control character. Choose an id of 1 to 512 bytes without "#" and control characters, or give none to have one made.",
      "process_registration_invalid: The registration's "id" must be well-formed Unicode; found "a\\ud800".",
      "process_registration_invalid: The process id "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…" has 514 bytes. Choose an id of 1 to 512 bytes without "#" and control characters, or give none to have one made.",
      "process_registration_invalid: The registration's "disposition" must be one of rerunnable, owner_bound, externally_owned; there is no default; found nothing.",
      "process_registration_invalid: The registration of "p" has engine input, which needs a captured environment (envRef).",
      "process_registration_invalid: The registration of "p" has engine input, which needs a captured environment (envRef).",
      "process_registration_invalid: The registration of "p" has external input and must not carry an environment (envRef).",
      "process_registration_invalid: The registration of "p" has session_turn input and must not carry an environment (envRef).",
      "process_registration_invalid: The registration of "p" has an identity whose kind is blank.",
      "process_registration_invalid: The registration of "p" declares an event type with a blank name.",
      "process_registration_invalid: The registration of "p" declares an event type of 201 characters; the limit is 200.",
      "process_registration_invalid: The registration of "p" declares "process.first_started", which is reserved.",
      "process_registration_invalid: The registration of "p" declares the core event type "process.failed" in another way; leave out all but a wake.",
      "process_registration_invalid: The registration of "p" declares event type "signal.go on", which names a signal that is not made of ASCII letters, digits, "_" and "-".",
      "process_registration_invalid: The registration of "p" declares event type "signal.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", which names a signal that has 129 characters; the limit is 128.",
      "process_registration_invalid: The registration of "p" declares event type "x", which ends the process as failed and needs an awaitOutput selector.",
      "process_registration_invalid: The registration of "p" declares event type "x", which has a selector at wake.input that has the pointer "text", which is no JSON Pointer (RFC 6901): "" or "/member/0".",
      "process_registration_invalid: The registration of "p" declares event type "done" twice.",
      "process_registration_invalid: The registration of "p" has maxAttempts 0; it must be above 0.",
      "process_registration_invalid: The registration's "maxAttempts" must be a whole number; found 1.5.",
      "process_registration_invalid: The registration of "p" has a wake target that names no session.",
      "process_registration_invalid: The registration of "p" has an originator that has a session id with "/frame:", which separates session and frame.",
      "process_registration_invalid: The registration of "p" is caused by a process whose processId is blank.",
      "process_registration_invalid: The registration's "input.payload" must be JSON; at (the value itself) it is NaN; found NaN.",
      "payload_too_large: The input of process "p" has 16777262 bytes; the limit is 16777216. Store it elsewhere and pass a reference.",
    ]
  `)
})
