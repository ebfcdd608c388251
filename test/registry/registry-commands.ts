import fc from 'fast-check'
import { expect } from 'vitest'
import { isLeaseholdError } from '../../src/model/errors.ts'
import type { ProcessId } from '../../src/model/ids.ts'
import type { ClaimOutcome, LeaseOwner, ProcessLease } from '../../src/model/lease.ts'
import { isTerminal, type Outcome } from '../../src/model/outcome.ts'
import type { RegistrationRequest } from '../../src/model/registration.ts'
import type { ProcessRegistry } from '../../src/registry/registry.ts'
import type { ManualClock } from '../../src/testing/index.ts'
import { journalEntry, owner } from '../model/fixtures.ts'
import type { ReferenceRegistry } from './reference-registry.ts'

/** One process of a real registry, and every lease that anybody was ever given of it, the superseded ones included. */
export interface Subject {
  readonly registry: ProcessRegistry
  readonly clock: ManualClock
  readonly id: ProcessId
  readonly request: RegistrationRequest
  readonly leases: ProcessLease[]
  attempts: number
}

type Command = fc.AsyncCommand<ReferenceRegistry, Subject>
type Run = (reference: ReferenceRegistry, subject: Subject) => Promise<{ is: string; expected: string }>

const command = (label: string, run: Run): Command => ({
  check: () => true,
  toString: () => label,
  async run(reference, subject) {
    const { is, expected } = await run(reference, subject)
    expect(is).toBe(expected)
    await expectInvariants(reference, subject)
  },
})

/** The answer in words; an error of our family by its code. */
const said = <T>(promise: Promise<T>, word: (value: T) => string): Promise<string> =>
  promise.then(word, error => {
    if (isLeaseholdError(error)) return error.code
    throw error
  })

async function expectInvariants(reference: ReferenceRegistry, subject: Subject): Promise<void> {
  const { registry, id, leases } = subject
  const record = await registry.get(id)
  const tombstone = await registry.tombstone(id)
  expect([record !== undefined, tombstone !== undefined]).toEqual([!reference.isPruned, reference.isPruned])
  expect((record ?? tombstone)?.lastSequence).toBe(reference.sequence)
  if (tombstone === undefined) await expectLog(reference, subject)
  else expect(tombstone.fence).toBe(reference.fence)
  const holder = await registry.getLease(id)
  expect(holder && { fence: holder.fencingToken, expiresAt: holder.expiresAtMs }).toEqual(
    reference.holder && { fence: reference.holder.fence, expiresAt: reference.holder.expiresAt },
  )
  const fences = leases.map(({ fencingToken }) => fencingToken)
  expect(fences).toEqual(fences.toSorted((left, right) => left - right))
  expect(new Set(leases.map(({ leaseToken }) => leaseToken)).size).toBe(new Set(fences).size)
}

/** Of this life of the process: without a gap from where it began, with one end at most. */
async function expectLog(reference: ReferenceRegistry, { registry, id }: Subject): Promise<void> {
  const log = await registry.eventsAfter(id, 0)
  expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, index) => reference.floor + index + 1))
  expect(reference.floor + log.length).toBe(reference.sequence)
  const ends = log.filter(({ eventType }) =>
    /^process\.(completed|failed|cancelled|abandoned)$/.test(eventType),
  )
  expect(ends).toHaveLength(reference.outcome === undefined ? 0 : 1)
  const record = await registry.get(id)
  expect(record !== undefined && isTerminal(record.status)).toBe(ends.length === 1)
}

const keep = (subject: Subject, lease: ProcessLease): number => {
  subject.leases.push(lease)
  return lease.fencingToken
}
const claimed = (subject: Subject) => (outcome: ClaimOutcome) =>
  outcome.type === 'busy' ? `busy ${outcome.holder.fencingToken}` : `acquired ${keep(subject, outcome.lease)}`

/** A command of whoever holds, or once held, the lease picked; of nobody while none was ever given. */
const withLease = (
  label: string,
  pick: number,
  run: (lease: ProcessLease, subject: Subject, reference: ReferenceRegistry) => ReturnType<Run>,
): Command =>
  command(`${label}, lease ${pick}`, async (reference, subject) => {
    // From the end: the newest lease is the most interesting one, and picked as 0.
    const lease = subject.leases.at(-1 - (pick % Math.max(1, subject.leases.length)))
    return lease === undefined ? { is: 'none', expected: 'none' } : run(lease, subject, reference)
  })

const known = (lease: ProcessLease) => ({ by: lease.owner.incarnationId, fence: lease.fencingToken })

const OWNERS: readonly LeaseOwner[] = ['ana', 'ben', 'carl'].map(owner)
const anyOwner = fc.constantFrom(...OWNERS)
const anyTtl = fc.constantFrom(0, 1, 1_000, 30_000)
const anyLease = fc.nat({ max: 4 })
const anyOutcome = fc.constantFrom<Outcome>(
  { status: 'completed', value: 1 },
  { status: 'completed', value: 2 },
  { status: 'failed', class: 'execution', code: 'process_failed', message: 'no' },
)
const text = (outcome: Outcome | undefined): string =>
  outcome?.status === 'completed' ? `completed ${JSON.stringify(outcome.value)}` : `${outcome?.status}`

export const anyCommand: readonly fc.Arbitrary<Command>[] = [
  fc.tuple(anyOwner, anyTtl).map(([by, ttl]) =>
    command(`claim by ${by.ownerId} for ${ttl}`, async (reference, subject) => ({
      expected: reference.claim(by.incarnationId, ttl),
      is: await said(subject.registry.claim(subject.id, by, ttl), claimed(subject)),
    })),
  ),
  fc.tuple(anyOwner, anyTtl).map(([worker, ttlMs]) =>
    command(`begin by ${worker.ownerId} for ${ttlMs}`, async (reference, subject) => {
      subject.attempts += 1
      const attempt = `attempt-${subject.attempts}`
      const begun = subject.registry.beginAttempt(subject.id, { worker, attempt, ttlMs })
      const is = await said(begun, answer => {
        if (answer.type === 'busy') return `busy ${answer.holder.fencingToken}`
        const isHeld = answer.type === 'run' || answer.type === 'settle'
        return isHeld ? `${answer.type} ${keep(subject, answer.lease)}` : answer.type
      })
      return { is, expected: reference.begin(attempt, ttlMs) }
    }),
  ),
  fc.tuple(anyLease, anyTtl).map(([pick, ttl]) =>
    withLease(`renew for ${ttl}`, pick, async (lease, subject, reference) => ({
      expected: reference.renew(known(lease), ttl),
      is: await said(subject.registry.renew(lease, ttl), next => `extended ${next.fencingToken}`),
    })),
  ),
  fc.tuple(anyLease, anyTtl).map(([pick, ttl]) =>
    withLease(`take again for ${ttl}`, pick, async (lease, subject, reference) => ({
      expected: reference.reacquire(known(lease), ttl),
      is: await said(subject.registry.reacquire(lease, ttl), next => `extended ${keep(subject, next)}`),
    })),
  ),
  anyLease.map(pick =>
    withLease('release', pick, async (lease, subject, reference) => ({
      expected: reference.release(known(lease)),
      is: await said(subject.registry.release(lease), () => 'done'),
    })),
  ),
  anyLease.map(pick =>
    withLease('enter the body', pick, async (lease, subject, reference) => ({
      expected: reference.enterBody(known(lease)),
      is: await said(subject.registry.enterBody(lease, owner('ana')), ({ type }) => type),
    })),
  ),
  fc.tuple(anyLease, fc.constantFrom(0, 1_000, 60_000)).map(([pick, ms]) =>
    withLease(`park for ${ms}`, pick, async (lease, subject, reference) => {
      const [sinceMs, key] = [subject.clock.now(), `wait-${reference.sequence}`]
      const wait = { key, sinceMs, untilMs: sinceMs + ms, on: { type: 'timer' as const } }
      const is = await said(subject.registry.park(lease, [wait]), ({ type }) => type)
      return { is, expected: reference.park(known(lease), wait.untilMs) }
    }),
  ),
  fc.tuple(anyLease, fc.constantFrom('shutdown' as const, 'transient_error' as const)).map(([pick, end]) =>
    withLease(`end by ${end}`, pick, async (lease, subject, reference) => ({
      expected: reference.endAttempt(known(lease)),
      is: await said(subject.registry.endAttempt(lease, end), () => 'done'),
    })),
  ),
  anyLease.map(pick =>
    withLease('journal a step', pick, async (lease, subject, reference) => ({
      expected: reference.journal(known(lease)),
      is: await said(
        subject.registry.saveJournalEntry(lease, journalEntry({ processId: subject.id })),
        () => 'done',
      ),
    })),
  ),
  fc.tuple(anyLease, anyOutcome).map(([pick, outcome]) =>
    withLease(`complete as ${text(outcome)}`, pick, async (lease, subject, reference) => ({
      expected: reference.completeWithLease(known(lease), text(outcome)),
      is: await said(subject.registry.completeWithLease(lease, outcome), record => text(record.outcome)),
    })),
  ),
  anyOutcome.map(outcome =>
    command(`complete by authority as ${text(outcome)}`, async (reference, subject) => {
      const authority = { authority: 'workflow_key', workflowKey: subject.id } as const
      const completed = subject.registry.complete(subject.id, outcome, authority)
      return {
        is: await said(completed, record => text(record.outcome)),
        expected: reference.complete(text(outcome)),
      }
    }),
  ),
  fc.tuple(fc.constantFrom('k1', 'k2', 'k3'), fc.constantFrom('a', 'b')).map(([replayKey, payload]) =>
    command(`append ${payload} as ${replayKey}`, async (reference, subject) => ({
      expected: reference.append(replayKey, payload),
      is: await said(
        subject.registry.append(subject.id, { eventType: 'note', payload, replayKey }),
        ({ type, event }) => (type === 'replayed' ? type : `appended ${event.sequence}`),
      ),
    })),
  ),
  fc.constant(
    command('prune', async (reference, { registry, id }) => {
      const request = { before: Number.MAX_SAFE_INTEGER, filter: { identityLabel: id } }
      const is = await said(registry.prune(request), ({ prunedProcesses, prunedEvents, kept }) =>
        prunedProcesses > 0 ? `pruned ${prunedEvents}` : kept.map(({ reason }) => `kept ${reason}`).join(),
      )
      return { is: is || 'nothing', expected: reference.prune() }
    }),
  ),
  fc.boolean().map(reuse =>
    command(`register again${reuse ? ', with reuse' : ''}`, async (reference, { registry, request }) => {
      const is = await said(registry.register(request, { reuse }), ({ type, record }) =>
        type === 'existing' ? type : `registered ${record.lastSequence}`,
      )
      return { is, expected: reference.registerAgain(reuse) }
    }),
  ),
  fc.constantFrom('stop', 'now').map(reason =>
    command(`cancel: ${reason}`, async (reference, subject) => ({
      expected: reference.cancel(reason),
      is: await said(subject.registry.requestCancel(subject.id, reason), ({ isDue }) =>
        isDue ? 'due' : 'not due',
      ),
    })),
  ),
  fc.constantFrom(1, 999, 1_000, 30_000, 60_000).map(ms =>
    command(`${ms} ms pass`, async (_, subject) => {
      subject.clock.advance(ms)
      return { is: 'later', expected: 'later' }
    }),
  ),
]
