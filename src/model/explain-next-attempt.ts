import type { Told } from './explain.ts'
import { timeWords } from './explain-words.ts'
import { type Turn, turnText } from './flow.ts'
import type { Situation } from './situation.ts'

/** A process that the next attempt will run. */
export function tellRunnable(situation: Situation): Told {
  const { stored, lease, now } = situation
  const { id, attempts, externalRef, abandonRequest, disposition } = stored.record
  const cancel = `leasehold cancel ${id}`
  const note =
    abandonRequest === undefined
      ? ''
      : ` The request to abandon it ends no ${disposition} process that may run: cancel it instead.`
  if (stored.record.turn !== undefined) return tellQueued(stored.record.turn, situation, note)
  if (stored.dueAtMs !== undefined && stored.dueAtMs > now && stored.failures > 0) {
    return {
      state: 'backing_off',
      why: `Its last attempt failed for a passing reason, ${stored.failures} in a row: the next is due at ${timeWords(stored.dueAtMs)}.${note}`,
      moves: ['That time comes.', cancel],
    }
  }
  if (lease?.holder !== undefined && lease.holder.expiresAtMs <= now) {
    return {
      state: 'lapsed',
      why: `Its holder's lease ended at ${timeWords(lease.holder.expiresAtMs)} without renewal, and nobody has gone on with it yet.${note}`,
      moves: ['Its holder comes back before anybody else.', nextLook(situation), cancel],
    }
  }
  if (attempts === 0) {
    return {
      state: 'not_begun',
      why:
        externalRef === undefined
          ? `It is registered, and was not handed to a backend yet.${note}`
          : `It was handed to ${externalRef.backend}, and no worker has taken it yet.${note}`,
      moves: [
        ...(externalRef === undefined
          ? []
          : ['A worker takes it from its task queue: leasehold doctor says whether one polls.']),
        nextLook(situation),
        cancel,
      ],
    }
  }
  const before =
    lease?.deathProof === undefined
      ? 'was given back'
      : `is over: ${lease.deathProof.owner.ownerId} is proven dead`
  return {
    state: 'to_go_on',
    why: `Its last attempt ${before}; the next one goes on.${note}`,
    moves: [nextLook(situation), cancel],
  }
}

function tellQueued(turn: Turn, { stored, now }: Situation, note: string): Told {
  const { id, flow } = stored.record
  const { on, key, sinceMs, atMs } = turn
  const limit =
    on === 'concurrency'
      ? `at most ${flow?.concurrency?.limit} of this key run at a time`
      : `at most ${flow?.rate?.limit} of this key begin in ${flow?.rate?.periodMs} ms`
  const when =
    atMs === undefined
      ? 'Others come first.'
      : `Its turn ${atMs <= now ? 'has come' : 'comes'} at ${timeWords(atMs)}.`
  return {
    state: 'queued',
    why: `It waits for ${turnText(turn)} since ${timeWords(sinceMs)}: ${limit}. ${when}${note}`,
    moves: [
      on === 'concurrency'
        ? `A process that holds a place of "${key}" ends, parks or dies, and those before it in the queue have gone.`
        : 'Its time comes, when those before it in the queue have gone.',
      `leasehold cancel ${id}`,
    ],
  }
}

export function nextLook({ stored: { dueAtMs, record }, now }: Situation): string {
  const { hostProfileId } = record.provenance
  const who = hostProfileId === undefined ? 'A worker' : `A worker of host profile "${hostProfileId}"`
  if (dueAtMs === undefined) return `${who} begins its next attempt.`
  const when = dueAtMs <= now ? 'now' : `at ${timeWords(dueAtMs)}`
  return `${who} begins its next attempt; the sweep looks at it ${when}.`
}
