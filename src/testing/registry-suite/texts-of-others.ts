import { ANA, COMPLETED } from './fixtures.ts'
import { ILL_FORMED, member, named, ownerOf, type TextField, textsOf } from './text-field.ts'

const AUTHORITY = { authority: 'workflow_key', workflowKey: 'p' } as const

/** What stands beside processes: calls that are answered later, sessions, workers and their drains, tombstones. */
export const TEXTS_OF_OTHERS: Readonly<Record<string, TextField>> = {
  'the key of a pending call and its answer': {
    isKey: true,
    probe: async ({ registry, start }, id, text) => {
      await registry.openCall(await start(id), { key: text })
      await registry.completeToolCall(text, { status: 'success', value: text })
      const call = await registry.pendingCall(text)
      return [call?.key, call?.answer?.status === 'success' && call.answer.value]
    },
    refused: { usage: ['NUL', 'controls'] },
  },
  'why a pending call failed': {
    probe: async ({ registry, start }, id, message) => {
      await registry.openCall(await start(id), { key: id })
      await registry.completeToolCall(id, { status: 'failure', message })
      const call = await registry.pendingCall(id)
      return [call?.answer?.status === 'failure' && call.answer.message]
    },
  },
  'a session, its turn and what it says': {
    isKey: true,
    probe: async ({ registry }, id, text) => {
      const sessionId = `${id}${text}`
      await registry.createSession({ sessionId, turnId: text, policy: named(text, text) })
      const entries = [{ kind: 'message', message: { role: 'user', content: text } }] as const
      await registry.appendToSession(sessionId, { turnId: text, after: 0, entries })
      const loaded = await registry.loadSession(sessionId)
      return [
        ...[loaded?.session.sessionId.slice(id.length), loaded?.session.openFor],
        ...Object.entries(loaded?.session.policy ?? {}).flat(),
        ...(loaded?.entries ?? []).flatMap(entry => [
          entry.turnId,
          Reflect.get(Object(entry.message), 'content'),
        ]),
      ]
    },
    refused: { session_scope_invalid: ILL_FORMED },
  },
  'who asks a worker to stop': {
    isKey: true,
    probe: async ({ registry }, id, requestedBy) => {
      const worker = { ...ANA, incarnationId: id }
      await registry.announceWorker(worker)
      const asked = await registry.requestDrain(id, requestedBy)
      return [asked.requestedBy, (await registry.drainOf(id))?.requestedBy]
    },
  },
  'a host that somebody says is gone': {
    isKey: true,
    probe: async ({ registry, start, record }, id, text) => {
      await registry.announceWorker(ownerOf(text))
      await start(id, { worker: ownerOf(text) })
      const ids = await registry.stateHostDead(text, text)
      const said = (await registry.eventsAfter(id, 0)).map(({ payload }) => member(payload, 'statedBy'))
      const { firstStarted } = await record(id)
      return [
        ...(firstStarted === undefined ? [] : textsOf(firstStarted.owner)),
        ...said.filter(one => one !== undefined),
        ids.length === 1 ? text : ids.length,
      ]
    },
  },
  'what is pruned by its label': {
    probe: async ({ registry, register, clock }, id, label) => {
      const other = await register({ id: `${id}-other`, identity: { kind: 'k', label } })
      await registry.complete(other, COMPLETED, AUTHORITY)
      clock.advance(1)
      const { prunedProcesses } = await registry.prune({
        before: clock.now(),
        filter: { identityLabel: label },
      })
      const tombstone = await registry.tombstone(other)
      return [prunedProcesses === 1 && tombstone?.id === other ? label : prunedProcesses]
    },
    refused: { process_registration_invalid: ILL_FORMED },
  },
}
