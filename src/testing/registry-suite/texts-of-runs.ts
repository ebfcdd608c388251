import type { CompletionAuthority } from '../../model/completion.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { Outcome } from '../../model/outcome.ts'
import { BEN, EXTERNAL, TTL } from './fixtures.ts'
import type { World } from './harness.ts'
import { ILL_FORMED, named, ownerOf, TEXTS, type TextField, type TextName, textsOf } from './text-field.ts'

const ALL = Object.keys(TEXTS) as TextName[]
const NAMES: readonly TextName[] = ['a name of every object', 'a name of its class']

/** A finished step of the lease's attempt. */
export const entryOf = (lease: ProcessLease, patch: Partial<JournalEntry> = {}): JournalEntry => ({
  processId: lease.processId,
  epoch: 0,
  position: 1,
  address: 'step#1',
  kind: 'step',
  effect: 'once',
  digest: 'digest',
  status: 'done',
  operationId: 'op_1',
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  startedAtMs: 1,
  ...patch,
})

const EVENTS: Readonly<Record<string, TextField>> = {
  'a text in an event': {
    probe: async ({ registry }, id, text) => {
      const { event } = await registry.append(id, { eventType: 'note', payload: named(text, [text]) })
      const [read] = await registry.eventsAfter(id, 0)
      return [event, read].flatMap(one => Object.entries(Object(one?.payload)).flat(2))
    },
  },
  'a replay key': {
    isKey: true,
    probe: async ({ registry }, id, replayKey) => {
      const request = { eventType: 'note', payload: 1, replayKey }
      const { event } = await registry.append(id, request)
      const again = await registry.append(id, request)
      const [read] = await registry.eventsAfter(id, 0)
      const keys = [event, again.event, read].map(one => one?.invocation.replay?.key)
      return [...keys, again.type === 'replayed' ? replayKey : again.type]
    },
  },
  'an event type that nobody declared': {
    probe: async ({ registry }, id, eventType) => {
      const { event } = await registry.append(id, { eventType, payload: null })
      return [event.eventType]
    },
    refused: { process_event_undeclared: ALL },
  },
  'what wakes, and whom': {
    probe: async ({ registry }, id, text) => {
      const wakeTargetScope = { sessionId: text, agentFrameId: text }
      const { wakeDelivery } = await registry.append(id, {
        eventType: 'news',
        payload: text,
        wakeTargetScope,
      })
      const { claims } = await registry.claimWakes()
      const claim = claims.find(({ delivery }) => delivery.processId === id)
      const [wake] = await registry.wakesOf(id)
      return [wakeDelivery, claim?.delivery, wake?.delivery].flatMap(one => [
        one?.targetSessionId,
        one?.input,
      ])
    },
    refused: { session_scope_invalid: ILL_FORMED },
  },
  'a session that wakes are sent to, and taken from': {
    probe: async ({ registry }, id, text) => {
      await registry.append(id, { eventType: 'news', payload: 'x' })
      const there = await registry.retargetWakes(id, 's', { sessionId: text })
      const back = await registry.retargetWakes(id, text, { sessionId: 'other' })
      return [there, back].map(moved => (moved === 1 ? text : moved))
    },
    refused: { session_scope_invalid: ILL_FORMED },
  },
  'a signal and its id': {
    isKey: true,
    probe: async ({ registry }, id, text) => {
      const signals = [1, 2].map(() => registry.signal(id, 'go', text, { signalId: text }))
      const [first, second] = await Promise.all(signals)
      const isOne = first?.event.sequence === second?.event.sequence
      return [first?.event.payload, second?.event.payload, isOne ? text : 'two signals']
    },
  },
  'the name of a signal': {
    probe: async ({ registry }, id, name) => {
      await registry.signal(id, name, null)
      return [name]
    },
    refused: {
      process_signal_name_invalid: ALL.filter(name => !NAMES.includes(name)),
      process_event_undeclared: NAMES,
    },
  },
}

const LEASES: Readonly<Record<string, TextField>> = {
  'who claims': {
    probe: async ({ registry }, id, text) => {
      const claimed = await registry.claim(id, ownerOf(text), TTL)
      const again = await registry.claim(id, ownerOf(text), TTL)
      const held = await registry.getLease(id)
      if (claimed.type !== 'acquired' || again.type !== 'acquired' || held === undefined) return ['busy']
      await registry.release(await registry.renew(held, TTL))
      const isFree = (await registry.getLease(id)) === undefined
      return [claimed.lease, again.lease, held]
        .flatMap(({ owner }) => textsOf(owner))
        .concat(isFree ? text : 'held')
    },
  },
  'a duty and who has it': {
    isKey: true,
    probe: async ({ registry }, _, text) => {
      const claimed = await registry.claimDuty(text, ownerOf(text), { ttlMs: TTL })
      const other = await registry.claimDuty(text, BEN, { ttlMs: TTL })
      return [claimed.type === 'acquired' && claimed.lease, other.type === 'busy' && other.holder].flatMap(
        lease => (lease === false ? ['nobody'] : textsOf(lease.owner)),
      )
    },
  },
  'a worker and its attempt': {
    isKey: true,
    probe: async ({ registry, record }, id, text) => {
      const worker = ownerOf(text)
      await registry.announceWorker(worker)
      const begun = await registry.beginAttempt(id, { worker, attempt: text, backendToken: text, ttlMs: TTL })
      if (begun.type !== 'run') return [begun.type]
      await registry.enterBody(begun.lease, worker)
      const { firstStarted } = await record(id)
      const holder = await registry.lastHolder(id)
      const onHost = (await registry.workersOn(text)).map(row => row.worker)
      const dead = await registry.proveWorkerDead(worker)
      const orphans = await registry.orphansOn(text)
      return [
        ...[firstStarted?.owner, ...onHost].flatMap(owner =>
          owner === undefined ? ['nobody'] : textsOf(owner),
        ),
        ...[firstStarted?.attempt, holder?.evidence.incarnationId],
        ...[...dead, ...orphans].map(({ backendToken }) => backendToken),
        (await registry.workersOn(text)).length === 0 ? text : 'still there',
      ]
    },
  },
  'what a submission is known by': {
    probe: async ({ registry, record }, id, text) => {
      await registry.recordSubmitted(id, { ref: { backend: text, id: text }, attempts: 0, lastSequence: 0 })
      return Object.values((await record(id)).externalRef ?? {})
    },
  },
}

/** Each under a lease of its own. */
const underLease =
  (
    probe: (world: World, lease: ProcessLease, text: string) => Promise<readonly unknown[]>,
  ): TextField['probe'] =>
  async (world, id, text) =>
    probe(world, await world.start(id), text)

const ended = (
  outcome: (text: string) => Outcome,
  read: (outcome: Outcome | undefined) => readonly unknown[],
) =>
  underLease(async ({ registry, record }, lease, text) => {
    await registry.completeWithLease(lease, outcome(text))
    const again = await registry.completeWithLease(lease, outcome(text))
    return [...read(again.outcome), ...read((await record(lease.processId)).outcome)]
  })

const RUNS: Readonly<Record<string, TextField>> = {
  'the wait of a park': {
    isKey: true,
    probe: underLease(async ({ registry, record }, lease, text) => {
      await registry.park(lease, [{ key: text, sinceMs: 1, on: { type: 'unknown_step', step: text } }])
      const { waits } = await record(lease.processId)
      return waits.flatMap(({ key, on }) => [key, on.type === 'unknown_step' && on.step])
    }),
  },
  'a journal entry': {
    isKey: true,
    probe: underLease(async ({ registry }, lease, text) => {
      const failure = { name: text, message: text, code: text }
      const texts = { address: text, digest: text, operationId: text, attempt: text }
      const entry = entryOf(lease, { ...texts, failure, claimedBy: ownerOf(text), value: named(text, text) })
      await registry.saveJournalEntry(lease, entry)
      await registry.saveJournalEntry(lease, entry)
      const journal = await registry.journal(lease.processId)
      return journal.flatMap(read => [
        ...[read.address, read.digest, read.operationId, read.attempt],
        ...Object.values(read.failure ?? {}),
        ...(read.claimedBy === undefined ? [] : textsOf(read.claimedBy)),
        ...Object.entries(Object(read.value)).flat(),
      ])
    }),
  },
  'what a running process emits': {
    isKey: true,
    probe: underLease(async ({ registry }, lease, text) => {
      const { value: _, ...entry } = entryOf(lease, { kind: 'emit', address: text })
      const request = { eventType: 'note', payload: text, replayKey: text }
      await registry.emit(lease, entry, request)
      const { event: again } = await registry.emit(lease, entry, request)
      const [read] = await registry.recentEvents(lease.processId, 1)
      const addresses = (await registry.journal(lease.processId)).map(({ address }) => address)
      return [...addresses, ...[again, read].flatMap(one => [one?.payload, one?.invocation.replay?.key])]
    }),
  },
  'where a consumed signal is journaled': {
    isKey: true,
    probe: underLease(async ({ registry }, lease, text) => {
      await registry.signal(lease.processId, 'go', text)
      const { status: _, value: __, ...entry } = entryOf(lease, { kind: 'signal', address: text })
      await registry.consumeSignal(lease, entry, { name: 'go' })
      const answer = await registry.consumeSignal(lease, entry, { name: 'go' })
      const journal = await registry.journal(lease.processId)
      const entries = answer.type === 'resolved' ? [answer.entry, ...journal] : journal
      return entries.flatMap(({ address, value }) => [address, Reflect.get(Object(value), 'payload')])
    }),
  },
  'the value of an outcome': {
    probe: ended(
      text => ({ status: 'completed', value: named(text, text) }),
      outcome => (outcome?.status === 'completed' ? Object.entries(Object(outcome.value)).flat() : []),
    ),
  },
  'the words of a failure': {
    probe: ended(
      text => ({ status: 'failed', class: 'execution', code: text, message: text, raw: text }),
      outcome => (outcome?.status === 'failed' ? [outcome.code, outcome.message, outcome.raw] : []),
    ),
  },
  'the words of a cancelled outcome': {
    probe: ended(
      text => ({ status: 'cancelled', message: text, raw: text }),
      outcome => (outcome?.status === 'cancelled' ? [outcome.message, outcome.raw] : []),
    ),
  },
  'who was abandoned': {
    probe: ended(
      text => ({ status: 'abandoned', evidence: { writer: 'sweep', owner: ownerOf(text), epochMs: 1 } }),
      outcome =>
        outcome?.status === 'abandoned' && outcome.evidence.owner !== undefined
          ? textsOf(outcome.evidence.owner)
          : [],
    ),
  },
  'the owner of external work': {
    probe: async ({ registry, register }, id, text) => {
      const other = await register({ id: `${id}-other`, ...EXTERNAL })
      const authority: CompletionAuthority = { authority: 'external_owner', grantedTo: text }
      const outcome: Outcome = { status: 'completed', value: text }
      await registry.complete(other, outcome, authority)
      await registry.complete(other, outcome, authority)
      const [event] = await registry.eventsAfter(other, 0)
      return [Reflect.get(Object(Reflect.get(Object(event?.payload), 'completion_authority')), 'grantedTo')]
    },
  },
}

export const TEXTS_OF_RUNS: Readonly<Record<string, TextField>> = { ...EVENTS, ...LEASES, ...RUNS }
