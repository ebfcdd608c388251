import type { JournalEntry } from '../../model/journal.ts'
import type { Json } from '../../model/json.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import { EXTERNAL } from './fixtures.ts'
import type { World } from './harness.ts'

const MIB = 1024 * 1024
export const LARGE = 'é'.repeat(MIB / 2)
export const engine = (payload: Json) => ({ input: { type: 'engine', kind: 'survey', payload } }) as const

export const entry = (lease: ProcessLease, patch: Partial<JournalEntry>): JournalEntry => ({
  processId: lease.processId,
  epoch: 0,
  position: 1,
  address: 'read#1',
  kind: 'step',
  effect: 'repeatable',
  digest: 'digest',
  status: 'done',
  operationId: 'op_1',
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  startedAtMs: 1,
  ...patch,
})

type Read = (registry: ProcessRegistry) => Promise<unknown>
type Write = (world: World) => Promise<Read>

const ofRecord =
  (pick: (record: ProcessRecord) => unknown): Read =>
  async registry => {
    const record = await registry.get('p')
    return record && pick(record)
  }

const firstEvent: Read = async registry => (await registry.eventsAfter('p', 0))[0]?.payload
const firstEntry = async (registry: ProcessRegistry) => (await registry.journal('p'))[0]

/** Writes LARGE into a field of the process `p`, and says how to read it. */
export const LARGE_FIELDS: Readonly<Record<string, Write>> = {
  'the input of an engine': async ({ register }) => {
    await register(engine({ text: LARGE }))
    return ofRecord(({ input }) => input.type === 'engine' && Reflect.get(Object(input.payload), 'text'))
  },
  'the arguments of a tool call': async ({ register }) => {
    await register({ input: { type: 'tool_call', call: { callId: 'c', toolName: 't', args: [LARGE] } } })
    return ofRecord(({ input }) => input.type === 'tool_call' && Reflect.get(Object(input.call.args), 0))
  },
  'the input of a turn': async ({ register }) => {
    const turn = { type: 'session_turn', createRequest: {}, turnInput: LARGE, outputContract: null } as const
    await register({ input: turn })
    return ofRecord(({ input }) => input.type === 'session_turn' && input.turnInput)
  },
  'the metadata of external work': async ({ register }) => {
    await register({ ...EXTERNAL, input: { type: 'external', metadata: LARGE } })
    return ofRecord(({ input }) => input.type === 'external' && input.metadata)
  },
  'the schema of an event type': async ({ register }) => {
    await register({ eventTypes: [{ name: 'note', payloadSchema: { const: LARGE } }] })
    return ofRecord(({ eventTypes }) => Reflect.get(Object(eventTypes[0]?.payloadSchema), 'const'))
  },
  'an event’s payload': async ({ register, registry }) => {
    await registry.append(await register(), { eventType: 'note', payload: LARGE })
    return firstEvent
  },
  'a signal’s payload': async ({ register, registry }) => {
    const id = await register({ eventTypes: [{ name: 'signal.go', payloadSchema: true }] })
    await registry.signal(id, 'go', LARGE)
    return firstEvent
  },
  'the text of a wake': async ({ register, registry }) => {
    const wake = { input: 'payload' } as const
    const eventTypes = [{ name: 'news', payloadSchema: true, semantics: { wake } }]
    const id = await register({ wakeTarget: { sessionId: 's' }, eventTypes })
    await registry.append(id, { eventType: 'news', payload: LARGE })
    return async reopened => (await reopened.wakesOf(id))[0]?.delivery.input
  },
  'a step’s value': async ({ register, registry, start }) => {
    const lease = await start(await register())
    await registry.saveJournalEntry(lease, entry(lease, { value: { text: LARGE } }))
    return async reopened => Reflect.get(Object((await firstEntry(reopened))?.value), 'text')
  },
  'a step’s failure': async ({ register, registry, start }) => {
    const lease = await start(await register())
    const failure = { name: 'Error', message: LARGE }
    await registry.saveJournalEntry(lease, entry(lease, { status: 'failed', failure }))
    return async reopened => (await firstEntry(reopened))?.failure?.message
  },
  'the value of an outcome': async ({ register, registry, start }) => {
    await registry.completeWithLease(await start(await register()), { status: 'completed', value: LARGE })
    return ofRecord(({ outcome }) => outcome?.status === 'completed' && outcome.value)
  },
  'what an outcome says went wrong': async ({ register, registry, start }) => {
    const outcome = { status: 'failed', class: 'execution', code: 'process_failed', message: 'm' } as const
    await registry.completeWithLease(await start(await register()), { ...outcome, raw: { text: LARGE } })
    return ofRecord(record => Reflect.get(Object(Reflect.get(Object(record.outcome), 'raw')), 'text'))
  },
  'the metadata of an external reference': async ({ register, registry }) => {
    await registry.setExternalRef(await register(), { backend: 'b', id: 'i', metadata: LARGE })
    return ofRecord(({ externalRef }) => externalRef?.metadata)
  },
  'the answer to a tool call': async ({ register, registry, run }) => {
    await registry.openCall(await run(await register()), { key: 'k' })
    await registry.completeToolCall('k', { status: 'success', value: LARGE })
    return async reopened => Reflect.get(Object((await reopened.pendingCall('k'))?.answer), 'value')
  },
  'a message of a session': async ({ registry }) => {
    await registry.createSession({ sessionId: 's', turnId: 't' })
    const entries = [{ kind: 'message', message: { text: LARGE } }] as const
    await registry.appendToSession('s', { turnId: 't', after: 0, entries })
    const message: Read = async reopened => (await reopened.loadSession('s'))?.entries[0]?.message
    return async reopened => Reflect.get(Object(await message(reopened)), 'text')
  },
  'the options of a session': async ({ registry }) => {
    await registry.createSession({ sessionId: 's', turnId: 't', pluginOptions: { files: LARGE } })
    return async reopened => (await reopened.loadSession('s'))?.session.pluginOptions.files
  },
  'the reason of a cancel': async ({ register, registry }) => {
    await registry.requestCancel(await register(), LARGE)
    return ofRecord(({ cancelRequest }) => cancelRequest?.reason)
  },
  'the reason for abandoning': async ({ register, registry }) => {
    await registry.requestAbandon(await register(), { requestedBy: 'ana', reason: LARGE })
    return ofRecord(({ abandonRequest }) => abandonRequest?.reason)
  },
}
