import { requireProcessId } from '../../model/ids.ts'
import type { Json } from '../../model/json.ts'
import type { ProcessRecord } from '../../model/process.ts'
import { type CausalRef, type Originator, triggerOf } from '../../model/provenance.ts'
import type { RegistrationRequest } from '../../model/registration.ts'
import { EXTERNAL, registration, sessionTurn } from './fixtures.ts'
import { ILL_FORMED, member, named, type TextField } from './text-field.ts'

const NOT_REGISTERED = { process_registration_invalid: ILL_FORMED } as const

/** Registers another process with the text in it, twice with the same result, and reads it from the record. */
const registered =
  (
    request: (text: string) => Partial<RegistrationRequest>,
    read: (record: ProcessRecord) => readonly unknown[],
  ): TextField['probe'] =>
  async ({ register, record }, id, text) => {
    const patch = { id: `${id}-other`, ...request(text) }
    const other = await register(patch)
    await register(patch)
    return read(await record(other))
  }

const engine = (payload: Json): Partial<RegistrationRequest> => ({
  input: { type: 'engine', kind: 'survey', payload },
})
const payloadOf = ({ input }: ProcessRecord): Json => (input.type === 'engine' ? input.payload : null)
const originated = (by: (text: string) => Originator, read: (originator: Originator) => readonly unknown[]) =>
  registered(
    text => ({ provenance: { originator: by(text) } }),
    ({ provenance }) => read(provenance.originator),
  )
const caused = (by: CausalRef) =>
  registered(
    () => ({ provenance: { originator: { type: 'host' }, causedBy: by } }),
    ({ provenance }) => {
      const { type: _, ...texts } = provenance.causedBy ?? by
      return Object.values(texts)
    },
  )

const INPUTS: Readonly<Record<string, TextField>> = {
  'a text in an input': {
    probe: registered(
      text => engine({ text }),
      record => [member(payloadOf(record), 'text')],
    ),
    refused: NOT_REGISTERED,
  },
  'the name of a member in an input': {
    probe: registered(
      text => engine(named(text, [named(text, 1)])),
      record => Object.keys(Object(payloadOf(record))),
    ),
    refused: NOT_REGISTERED,
  },
  'the kind of an engine': {
    probe: registered(
      kind => ({ input: { type: 'engine', kind, payload: null } }),
      ({ input, identity }) => [input.type === 'engine' && input.kind, identity.kind],
    ),
    refused: NOT_REGISTERED,
  },
  'the parts of a tool call': {
    probe: registered(
      text => ({
        input: {
          type: 'tool_call',
          call: { callId: text, toolId: text, toolName: text, args: text, replay: text, prepared: text },
        },
      }),
      ({ input, identity }) => [
        ...Object.values(input.type === 'tool_call' ? input.call : {}),
        identity.label,
      ],
    ),
    refused: NOT_REGISTERED,
  },
  'the parts of a session turn': {
    probe: async ({ registry }, id, text) => {
      const turn = sessionTurn({
        sessionId: text,
        policy: named(text, text),
        subagent: { capability: text },
        usageSource: text,
      })
      const { envRef: _, ...request } = registration({ id: `${id}-other`, input: turn })
      const { input, identity } = (await registry.register(request)).record
      const asked = input.type === 'session_turn' ? input.createRequest : {}
      const policy = Object.entries(asked.policy ?? {}).flat()
      return [asked.sessionId, ...policy, asked.subagent?.capability, asked.usageSource, identity.label]
    },
    refused: NOT_REGISTERED,
  },
  'the label of external work': {
    probe: registered(
      label => ({ ...EXTERNAL, input: { type: 'external', metadata: { label } } }),
      ({ input, identity }) => [input.type === 'external' && member(input.metadata, 'label'), identity.label],
    ),
    refused: NOT_REGISTERED,
  },
}

const REGISTRATIONS: Readonly<Record<string, TextField>> = {
  'a process id': {
    probe: async ({ registry, register }, _, text) => {
      const id = await register({ id: text })
      const { event } = await registry.append(id, { eventType: 'note', payload: null })
      const { records } = await registry.list({}, { after: '', through: text })
      return [id, (await registry.get(text))?.id, event.processId, records.at(-1)?.id]
    },
    refused: { process_registration_invalid: ['NUL', 'controls', ...ILL_FORMED] },
  },
  'an identity': {
    probe: async (world, id, text) => {
      const identity = { kind: text, label: text, definition: named(text, text) }
      const read = ({ identity: found }: ProcessRecord) => [
        ...[found.kind, found.label],
        ...Object.entries(Object(found.definition)).flat(),
      ]
      const texts = [...(await registered(() => ({ identity }), read)(world, id, text))]
      for (const filter of [
        { identityKind: text },
        { identityLabel: text },
        { definition: identity.definition },
      ]) {
        texts.push(...(await world.registry.list(filter)).records.map(record => record.identity.kind))
      }
      return texts
    },
    refused: NOT_REGISTERED,
  },
  'the name of an event type': {
    probe: async ({ registry, register }, id, name) => {
      const other = await register({ id: `${id}-other`, eventTypes: [{ name, payloadSchema: true }] })
      const { event } = await registry.append(other, { eventType: name, payload: null })
      const isCounted = (await registry.countEventsThrough(other, name, 9)) === 1
      return [
        event.eventType,
        (await registry.eventsAfter(other, 0))[0]?.eventType,
        isCounted ? name : 'none',
      ]
    },
    refused: NOT_REGISTERED,
  },
  'what an event type must be and what it wakes with': {
    probe: async ({ registry, register }, id, text) => {
      const template = `{${text}}`
      const wake = { input: { template, fields: named(text, { const: text }) }, dedupeKey: { const: text } }
      const eventTypes = [{ name: 'news', payloadSchema: { const: text }, semantics: { wake } }]
      const other = await register({ id: `${id}-other`, eventTypes, wakeTarget: { sessionId: 's' } })
      const { wakeDelivery } = await registry.append(other, { eventType: 'news', payload: text })
      const [wakeEvent] = await registry.wakeEventsAfter(other, 0)
      return [wakeDelivery?.input, wakeDelivery?.dedupeKey, wakeEvent?.semantics?.wake?.input]
    },
    refused: NOT_REGISTERED,
  },
  'an originating session and its frame': {
    probe: originated(
      text => ({ type: 'session', scope: { sessionId: text, agentFrameId: text } }),
      originator => (originator.type === 'session' ? Object.values(originator.scope) : []),
    ),
    refused: NOT_REGISTERED,
  },
  'the scope of an originating host': {
    probe: async (world, id, text) => {
      const originator = { type: 'host', scope: text } as const
      const texts = await originated(() => originator, Object.values)(world, id, text)
      const { records } = await world.registry.list({ originatorScopeId: `host:${text}` })
      return [
        ...texts.filter(one => one !== 'host'),
        ...records.map(() => text),
        records.length === 1 ? text : records,
      ]
    },
    refused: NOT_REGISTERED,
  },
  'the turn, effect, call or node that caused it': {
    probe: async (world, id, text) => {
      const causes: readonly CausalRef[] = [
        { type: 'turn', sessionId: text, turnId: text },
        { type: 'effect', sessionId: text, turnId: text, effectId: text },
        { type: 'tool_call', sessionId: text, callId: text },
        { type: 'process', processId: text },
        { type: 'session_node', sessionId: text, nodeId: text },
      ]
      const texts: unknown[] = []
      for (const [index, cause] of causes.entries()) {
        texts.push(...(await caused(cause)(world, requireProcessId(`${id}-${index}`), text)))
      }
      return texts
    },
    refused: NOT_REGISTERED,
  },
  'the trigger that caused it': {
    probe: async (world, id, text) => {
      const cause: CausalRef = {
        type: 'trigger_occurrence',
        occurrenceId: text,
        subscriptionId: text,
        subscriptionIncarnation: text,
      }
      const texts = [...(await caused(cause)(world, id, text))]
      for (const filter of [{ causedByOccurrenceId: text }, { causedBySubscriptionId: text }]) {
        const { records } = await world.registry.list(filter)
        texts.push(...records.flatMap(({ provenance }) => triggerOf(provenance).occurrenceId))
      }
      return texts
    },
    refused: NOT_REGISTERED,
  },
  'a host profile': {
    probe: registered(
      hostProfileId => ({ provenance: { originator: { type: 'host' }, hostProfileId } }),
      ({ provenance }) => [provenance.hostProfileId],
    ),
    refused: NOT_REGISTERED,
  },
  'the address of an environment': {
    isKey: true,
    probe: async (world, id, text) => {
      await world.registry.putEnv(text, Uint8Array.of(1))
      const isKept = (await world.registry.getEnv(text))?.[0] === 1
      const texts = await registered(
        envRef => ({ envRef }),
        ({ envRef }) => [envRef],
      )(world, id, text)
      return [isKept ? text : 'none', ...texts]
    },
    refused: NOT_REGISTERED,
  },
  'a wake target': {
    probe: registered(
      text => ({ wakeTarget: { sessionId: text, agentFrameId: text } }),
      ({ wakeTarget }) => Object.values(wakeTarget ?? {}),
    ),
    refused: NOT_REGISTERED,
  },
}

export const TEXTS_OF_REGISTRATIONS: Readonly<Record<string, TextField>> = { ...INPUTS, ...REGISTRATIONS }
