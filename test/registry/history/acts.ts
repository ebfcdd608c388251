import { SeededRandom } from '../../../src/execution/seeded-random.ts'
import type { ProcessLease } from '../../../src/model/lease.ts'
import type { Outcome } from '../../../src/model/outcome.ts'
import type { ProcessRegistry } from '../../../src/registry/registry.ts'
import { registration } from '../../../src/testing/registry-suite/fixtures.ts'
import { journalEntry, owner } from '../../model/fixtures.ts'
import type { Answer, OperationName } from './call.ts'
import { markWith } from './history.ts'

/** So short that leases lapse under a holder that is only slow. */
const TTL = 60

export interface Request {
  readonly id: string
  readonly process: string
  /** Who asks, of several in this OS process. */
  readonly lane: number
}

export interface Act {
  readonly operation: OperationName
  readonly lease?: ProcessLease
  readonly run: () => Promise<Answer>
}

type Weighted<Run> = readonly [operation: OperationName, weight: number, run: Run]

/** Chooses what to do next, by chance, with every lease in mind that it was ever given, superseded ones included. */
export function createActs(registry: ProcessRegistry, name: string) {
  const chance = new SeededRandom(name)
  const below = (bound: number): number => Math.floor(chance.random() * bound)
  const leases = new Map<string, ProcessLease[]>()
  const settlements = new Map<string, Outcome>()

  const done = (more: Partial<Extract<Answer, { type: 'done' }>> = {}): Answer => ({
    type: 'done',
    isStored: false,
    ...more,
  })
  const given = (lease: ProcessLease): Answer => {
    leases.set(lease.processId, [...(leases.get(lease.processId) ?? []), lease])
    return done({ lease })
  }
  const ended = (outcome: Outcome | undefined): Answer => done(outcome === undefined ? {} : { outcome })
  const self = (lane: number) => owner(`${name}-${lane}`)
  const completedBy = (id: string): Outcome => ({ status: 'completed', value: markWith(id) })
  const entryOf = (id: string, { processId, fencingToken: fence }: ProcessLease) =>
    journalEntry({ processId, address: id, fence })

  const unleased: readonly Weighted<(request: Request) => Promise<Answer>>[] = [
    [
      'register',
      4,
      async ({ process: id }) => {
        await registry.register(registration({ id }))
        return done()
      },
    ],
    [
      'claim',
      6,
      async ({ process: id, lane }) => {
        const claimed = await registry.claim(id, self(lane), TTL)
        return claimed.type === 'acquired' ? given(claimed.lease) : done()
      },
    ],
    [
      'reclaim',
      3,
      async ({ process: id, lane }) => {
        const observed = await registry.getLease(id)
        if (observed === undefined) return { type: 'refused', code: 'nobody holds it' }
        const evidence = { incarnationId: observed.owner.incarnationId, fence: observed.fencingToken }
        const claimed = await registry.reclaim(id, self(lane), observed, { ttlMs: TTL, evidence })
        return claimed.type === 'acquired' ? given(claimed.lease) : done()
      },
    ],
    [
      'beginAttempt',
      12,
      async ({ id: attempt, process: id, lane }) => {
        const answer = await registry.beginAttempt(id, { worker: self(lane), attempt, ttlMs: TTL })
        if (answer.type === 'unknown') return { type: 'refused', code: 'process_unknown' }
        if (answer.type === 'settle') settlements.set(answer.lease.leaseToken, answer.outcome)
        return answer.type === 'run' || answer.type === 'settle' ? given(answer.lease) : done()
      },
    ],
    [
      'append',
      12,
      async ({ id, process }) => {
        const { event } = await registry.append(process, { eventType: 'note', payload: markWith(id) })
        return done({ isStored: true, sequence: event.sequence })
      },
    ],
    [
      'requestCancel',
      1,
      async ({ id, process }) => {
        await registry.requestCancel(process, id)
        return done({ isStored: true })
      },
    ],
    [
      'complete',
      1,
      async ({ id, process }) => {
        const authority = { authority: 'workflow_key', workflowKey: process } as const
        return ended((await registry.complete(process, completedBy(id), authority)).outcome)
      },
    ],
  ]

  const leased: readonly Weighted<(request: Request, lease: ProcessLease) => Promise<Answer>>[] = [
    ['renew', 8, async (_, lease) => given(await registry.renew(lease, TTL))],
    ['reacquire', 4, async (_, lease) => given(await registry.reacquire(lease, TTL))],
    [
      'enterBody',
      4,
      async ({ lane }, lease) => {
        await registry.enterBody(lease, self(lane))
        return done()
      },
    ],
    [
      'emit',
      14,
      async ({ id }, lease) => {
        const request = { eventType: 'note', payload: markWith(id), replayKey: id }
        const { event } = await registry.emit(lease, entryOf(`event ${id}`, lease), request)
        return done({ isStored: true, sequence: event.sequence })
      },
    ],
    [
      'saveJournalEntry',
      8,
      async ({ id }, lease) => {
        await registry.saveJournalEntry(lease, { ...entryOf(`step ${id}`, lease), value: markWith(id) })
        return done({ isStored: true })
      },
    ],
    [
      'park',
      3,
      async ({ id: key }, lease) => {
        const sinceMs = Date.now()
        const wait = { key, sinceMs, untilMs: sinceMs + below(2 * TTL), on: { type: 'timer' as const } }
        const { type } = await registry.park(lease, [wait])
        return done({ isStored: type === 'parked' })
      },
    ],
    [
      'endAttempt',
      2,
      async (_, lease) => {
        await registry.endAttempt(lease, below(2) === 0 ? 'shutdown' : 'transient_error')
        return done()
      },
    ],
    [
      'release',
      2,
      async (_, lease) => {
        await registry.release(lease)
        return done()
      },
    ],
    [
      'completeWithLease',
      2,
      async ({ id }, lease) => {
        const outcome = settlements.get(lease.leaseToken) ?? completedBy(id)
        return ended((await registry.completeWithLease(lease, outcome)).outcome)
      },
    ],
  ]

  function pick<Run>(acts: readonly Weighted<Run>[]): Weighted<Run> {
    let left = below(acts.reduce((sum, [, weight]) => sum + weight, 0))
    const found = acts.find(([, weight]) => {
      left -= weight
      return left < 0
    })
    if (found === undefined) throw new Error('the weights sum up to more than there is')
    return found
  }

  /** The newest lease mostly, sometimes one of long ago. */
  function pickLease(id: string): ProcessLease | undefined {
    const known = leases.get(id) ?? []
    return below(4) === 0 ? known[below(known.length)] : known.at(-1)
  }

  return {
    below,
    choose(request: Request): Act {
      const lease = below(2) === 0 ? undefined : pickLease(request.process)
      if (lease === undefined) {
        const [operation, , run] = pick(unleased)
        return { operation, run: () => run(request) }
      }
      const [operation, , run] = pick(leased)
      return { operation, lease, run: () => run(request, lease) }
    },
  }
}
