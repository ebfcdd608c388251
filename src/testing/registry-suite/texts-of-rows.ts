import { ILL_FORMED, member, named, ownerOf, type TextField, textsOf } from './text-field.ts'

export const TEXTS_OF_ROWS: Readonly<Record<string, TextField>> = {
  'an external ref': {
    probe: async ({ registry, record }, id, text) => {
      const ref = { backend: text, id: text, metadata: named(text, text) }
      await registry.setExternalRef(id, ref)
      const { externalRef } = await registry.setExternalRef(id, ref)
      const read = (await record(id)).externalRef
      return [externalRef, read].flatMap(one => [
        one?.backend,
        one?.id,
        ...Object.entries(Object(one?.metadata)).flat(),
      ])
    },
  },
  'who asks to abandon, and why': {
    probe: async ({ registry, record }, id, text) => {
      await registry.requestAbandon(id, { requestedBy: text, reason: text })
      const { abandonRequest } = await record(id)
      return [abandonRequest?.requestedBy, abandonRequest?.reason]
    },
  },
  'the reason of a cancel': {
    probe: async ({ registry, record }, id, text) => {
      await registry.requestCancel(id, text)
      const isNew = (await registry.requestCancel(id, text)).isDue
      const events = await registry.eventsAfter(id, 0)
      return [
        (await record(id)).cancelRequest?.reason,
        ...events.map(event => member(event.payload, 'reason')),
        isNew ? 'new' : text,
      ]
    },
  },
  'a session with a grant, its frame and the handle’s words': {
    probe: async ({ registry }, id, text) => {
      const scope = { sessionId: text, agentFrameId: text }
      await registry.grant(scope, id, { kind: text, label: text })
      const listed = (await registry.listGrants(scope)).map(({ grant }) => grant)
      const [held] = await registry.grantsForProcess(id)
      const { revokedHandleCount } = await registry.deleteSessionState(text)
      return [
        ...[held, ...listed].flatMap(grant => [
          grant?.sessionId,
          grant?.descriptor.kind,
          grant?.descriptor.label,
        ]),
        revokedHandleCount === 1 && !(await registry.hasGrant(scope, id)) ? text : 'still granted',
      ]
    },
    refused: { session_scope_invalid: ILL_FORMED },
  },
  'the label of a handle': {
    probe: async ({ registry }, id, label) => {
      await registry.grant({ sessionId: 's' }, id, { kind: label, label })
      const [held] = await registry.grantsForProcess(id)
      return [held?.descriptor.kind, held?.descriptor.label]
    },
    refused: { usage: ILL_FORMED },
  },
  'a session that is woken no more': {
    probe: async ({ registry, register }, id, sessionId) => {
      const other = await register({ id: `${id}-other`, wakeTarget: { sessionId } })
      await registry.deleteSessionState(sessionId)
      const [cleared] = await registry.eventsAfter(other, 0)
      return [member(member(cleared?.payload, 'wakeTarget'), 'sessionId')]
    },
    refused: { process_registration_invalid: ILL_FORMED },
  },
  'the key of a wait and what it waits for': {
    isKey: true,
    probe: async ({ registry, record }, id, text) => {
      await registry.setWait(id, { key: text, sinceMs: 1, on: { type: 'external_key', key: text } })
      const { waits } = await record(id)
      const texts = waits.flatMap(({ key, on }) => [key, on.type === 'external_key' && on.key])
      await registry.clearWait(id, text)
      return [...texts, (await record(id)).waits.length === 0 ? text : 'still waiting']
    },
  },
  'the event that is waited for': {
    isKey: true,
    probe: async ({ registry, record }, id, text) => {
      const on = { type: 'event', processId: text, eventType: text, after: 0 } as const
      await registry.setWait(id, { key: 'w', sinceMs: 1, on })
      return (await record(id)).waits.flatMap(wait =>
        wait.on.type === 'event' ? [wait.on.processId, wait.on.eventType] : [],
      )
    },
  },
  'who started it first': {
    probe: async ({ registry, record }, id, text) => {
      await registry.recordFirstStarted(id, { owner: ownerOf(text), startedAtMs: 1 })
      const { firstStarted } = await record(id)
      return firstStarted === undefined ? [] : textsOf(firstStarted.owner)
    },
  },
}
