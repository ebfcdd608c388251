import { type BeginDecision, decideBeginAttempt } from './attempt.ts'
import { nextLook, tellRunnable } from './explain-next-attempt.ts'
import { holderWords, moveOfWait, timeWords, waitWords } from './explain-words.ts'
import type { ProcessId } from './ids.ts'
import type { LeaseOwner } from './lease.ts'
import type { AbandonEvidence } from './outcome.ts'
import type { Situation } from './situation.ts'

/** In sentences, for people: who holds the process, why it stands where it stands, and what would move it. */
export interface Explanation {
  readonly id: ProcessId
  readonly state: ExplainedState
  readonly holder: string
  readonly why: string
  /** Each on its own would move it. Empty: nothing will. */
  readonly moves: readonly string[]
}

export type ExplainedState =
  | 'ended'
  | 'external'
  | 'held'
  | 'stopping'
  | 'silent'
  | 'to_be_abandoned'
  | 'to_be_cancelled'
  | 'parked'
  | 'queued'
  | 'backing_off'
  | 'lapsed'
  | 'not_begun'
  | 'to_go_on'

export type Told = Omit<Explanation, 'id' | 'holder'>

/** Nobody's attempt: the answer that it would get is what the next attempt will get. */
const NOBODY: LeaseOwner = { ownerId: 'nobody', incarnationId: 'nobody', liveness: { kind: 'opaque' } }

export function explain(situation: Situation): Explanation {
  const { stored, lease, now } = situation
  const { hostProfileId } = stored.record.provenance
  const profile = hostProfileId === undefined ? {} : { hostProfileId }
  const request = { worker: NOBODY, attempt: 'nobody', ttlMs: 0, ...profile }
  const decision = decideBeginAttempt(stored, lease, request, now)
  return { id: stored.record.id, holder: holderWords(situation), ...tell(situation, decision) }
}

function tell(situation: Situation, decision: BeginDecision): Told {
  const { id, disposition, outcome } = situation.stored.record
  switch (decision.type) {
    case 'terminal':
      return {
        state: 'ended',
        why: `It ended as ${decision.status}${outcome?.status === 'abandoned' ? ` (${outcome.evidence.writer})` : ''}. The first outcome stays.`,
        moves: [],
      }
    case 'external':
      return tellExternal(situation)
    case 'busy':
      return tellHeld(situation)
    case 'silent':
      return tellSilent(situation)
    case 'settle':
      return decision.outcome.status === 'cancelled'
        ? {
            state: 'to_be_cancelled',
            why: 'A cancel is recorded and no attempt runs: the next one writes it, without running its code.',
            moves: [nextLook(situation)],
          }
        : {
            state: 'to_be_abandoned',
            why: settleWords(situation, decision),
            moves: [disposition === 'externally_owned' ? 'The next sweep writes it.' : nextLook(situation)],
          }
    case 'parked':
      return {
        state: 'parked',
        why: `It waits for ${situation.stored.record.waits.map(wait => waitWords(id, wait)).join(', and for ')}.`,
        moves: [...situation.stored.record.waits.map(wait => moveOfWait(id, wait)), `leasehold cancel ${id}`],
      }
    case 'run':
    case 'other_profile':
      return tellRunnable(situation)
  }
}

function tellExternal({ stored, lease, now }: Situation): Told {
  const { id, abandonRequest } = stored.record
  if (abandonRequest !== undefined) {
    return {
      state: 'to_be_abandoned',
      why: `${abandonRequest.requestedBy} asked to abandon it, and somebody holds its lease until ${timeWords(lease?.holder?.expiresAtMs ?? now)}.`,
      moves: [
        'The sweep abandons it when that lease ends.',
        `Its owner completes it: leasehold complete ${id}`,
      ],
    }
  }
  return {
    state: 'external',
    why: 'Somebody else does this work: nothing here runs it, cancels it or ends it by itself.',
    moves: [
      `Its owner completes it: leasehold complete ${id} --success JSON, or --failure MESSAGE`,
      `Somebody gives it up: leasehold abandon ${id} --by WHO`,
    ],
  }
}

function tellHeld({ stored, lease, now }: Situation): Told {
  const { id, cancelRequest, abandonRequest, disposition } = stored.record
  const lapse = `If its lease is not renewed until ${timeWords(lease?.holder?.expiresAtMs ?? now)}, ${
    disposition === 'owner_bound' ? 'the next look finds it silent.' : 'another worker goes on with it.'
  }`
  if (cancelRequest !== undefined) {
    const isForced = cancelRequest.forcedAtMs !== undefined
    return {
      state: 'stopping',
      why: `A cancel was recorded at ${timeWords(cancelRequest.requestedAtMs)}; its worker has told the code, which has not ended yet.`,
      moves: [
        'Its code ends, as it likes.',
        isForced
          ? 'Its worker ends it without its code, when the grace is over.'
          : `leasehold cancel ${id} --force`,
        lapse,
      ],
    }
  }
  const asked =
    abandonRequest === undefined
      ? ''
      : ` ${abandonRequest.requestedBy} asked to abandon it, which ends nothing while somebody holds it.`
  return {
    state: 'held',
    why: `Its code runs.${asked}`,
    moves: ['Its code ends or parks.', `leasehold cancel ${id}`, lapse],
  }
}

function tellSilent({ stored }: Situation): Told {
  const { id, firstStarted, silentSinceMs, cancelRequest } = stored.record
  const since = silentSinceMs === undefined ? '' : ` since ${timeWords(silentSinceMs)}`
  const cancel = cancelRequest === undefined ? '' : ' The recorded cancel is no evidence either.'
  const { liveness } = firstStarted?.owner ?? NOBODY
  return {
    state: 'silent',
    why: `It is owner-bound and began at ${firstStarted?.owner.ownerId}, which has not been heard of${since}. Nobody may run it again, and nothing says what became of it.${cancel}`,
    moves: [
      'Its owner comes back and goes on.',
      ...(liveness.kind === 'opaque'
        ? []
        : [
            'A worker of the same host proves its owner dead.',
            `Somebody says that its host is gone: leasehold host-dead ${liveness.hostId} --by WHO`,
          ]),
      `Somebody gives it up: leasehold abandon ${id} --by WHO`,
    ],
  }
}

const byWord = ({ statedBy }: AbandonEvidence): string =>
  statedBy === undefined ? '' : `, by the word of ${statedBy}`

function settleWords({ stored }: Situation, { outcome }: Extract<BeginDecision, { type: 'settle' }>): string {
  if (outcome.status !== 'abandoned') return ''
  const { abandonRequest, maxAttempts } = stored.record
  switch (outcome.evidence.writer) {
    case 'sweep':
      return `It is owner-bound, had begun, and its owner ${outcome.evidence.owner?.ownerId} is proven dead${byWord(outcome.evidence)}.`
    case 'engine_gave_up':
      return `Its ${maxAttempts} attempts are used up.`
    default:
      return `${abandonRequest?.requestedBy} asked to abandon it, and nobody holds it.`
  }
}
