import { describe, expect, test } from 'vitest'
import { type BeginDecision, decideBeginAttempt } from '../../src/model/attempt.ts'
import { DISPOSITIONS, type Disposition, type FirstStarted } from '../../src/model/process.ts'
import { LAPSED, leaseOf, NOW, owner, stored } from './fixtures.ts'

/*
 * The decision table of recovery, over a row whose last holder's lease has lapsed: every combination of what the rule
 * looks at, against the first line of RULES that fits. A star fits anything.
 */
const STARTED = ['unstarted', 'by another', 'by this'] as const
const YES_NO = ['no', 'yes'] as const
const WAITS = ['none', 'pending', 'due'] as const

interface Situation {
  readonly disposition: Disposition
  readonly started: (typeof STARTED)[number]
  readonly proof: 'no' | 'yes'
  readonly request: 'no' | 'yes'
  readonly cancel: 'no' | 'yes'
  readonly waits: (typeof WAITS)[number]
  readonly budgetUsed: 'no' | 'yes'
}

const RULES = [
  // disposition,        started,      proof, request, cancel, waits,     budget used
  [
    ['externally_owned', '*', '*', 'yes', '*', '*', '*'],
    'settle abandoned by reconciled_request about nobody',
  ],
  [['externally_owned', '*', '*', 'no', '*', '*', '*'], 'external'],
  [['owner_bound', 'by another', 'yes', '*', '*', '*', '*'], 'settle abandoned by sweep about the holder'],
  [
    ['owner_bound', 'by another', 'no', 'yes', '*', '*', '*'],
    'settle abandoned by reconciled_request about the starter',
  ],
  [['owner_bound', 'by another', 'no', 'no', '*', '*', '*'], 'silent'],
  [['*', '*', '*', '*', 'yes', '*', '*'], 'settle cancelled'],
  [['*', '*', '*', '*', 'no', 'pending', '*'], 'parked'],
  [
    ['rerunnable', 'unstarted', '*', '*', 'no', '*', 'yes'],
    'settle abandoned by engine_gave_up about nobody',
  ],
  [['rerunnable', '*', '*', '*', 'no', '*', 'yes'], 'settle abandoned by engine_gave_up about the starter'],
  [['*', '*', '*', '*', '*', '*', '*'], 'run'],
] as const

const situations: Situation[] = DISPOSITIONS.flatMap(disposition =>
  STARTED.flatMap(started =>
    YES_NO.flatMap(proof =>
      YES_NO.flatMap(request =>
        YES_NO.flatMap(cancel =>
          WAITS.flatMap(waits =>
            YES_NO.map(budgetUsed => ({ disposition, started, proof, request, cancel, waits, budgetUsed })),
          ),
        ),
      ),
    ),
  ),
)

const expectedOf = (situation: Situation): string => {
  const facts = Object.values(situation)
  const rule = RULES.find(([pattern]) => pattern.every((want, at) => want === '*' || want === facts[at]))
  return rule?.[1] ?? 'no rule'
}

/** The attempt that started the process, holding it still. */
const HOLDER = { ...owner('holder'), incarnationId: 'attempt-1' }
const STARTER = owner('starter')

function decide(situation: Situation): BeginDecision {
  const firstStarted: FirstStarted = {
    owner: STARTER,
    attempt: situation.started === 'by this' ? 'attempt-2' : 'attempt-1',
    fence: 1,
    startedAtMs: NOW - 60_000,
  }
  const wait = { key: 'nap', sinceMs: NOW - 5, on: { type: 'timer' as const } }
  const holder = leaseOf(HOLDER, { fence: 3, ageMs: LAPSED })
  const row = stored(
    {
      disposition: situation.disposition,
      maxAttempts: 2,
      ...(situation.started === 'unstarted' ? {} : { firstStarted }),
      ...(situation.request === 'yes'
        ? { abandonRequest: { requestedBy: 'ana', requestedAtMs: NOW - 1 } }
        : {}),
      ...(situation.cancel === 'yes' ? { cancelRequest: { requestedAtMs: NOW - 1, reason: 'stop' } } : {}),
      ...(situation.waits === 'none'
        ? {}
        : { waits: [{ ...wait, untilMs: situation.waits === 'due' ? NOW : NOW + 1 }] }),
    },
    { attemptsSpent: situation.budgetUsed === 'yes' ? 2 : 1 },
  )
  const request = {
    worker: owner('worker'),
    attempt: 'attempt-2',
    ttlMs: 1_000,
    ...(situation.proof === 'yes' ? { evidence: { incarnationId: 'attempt-1', fence: 3 } } : {}),
  }
  return decideBeginAttempt(row, { fence: 3, holder }, request, NOW)
}

function nameOf(decision: BeginDecision): string {
  if (decision.type !== 'settle') return decision.type
  if (decision.outcome.status !== 'abandoned') return `settle ${decision.outcome.status}`
  const { writer, owner: about } = decision.outcome.evidence
  const name = about === undefined ? 'nobody' : about === STARTER ? 'the starter' : 'the holder'
  return `settle abandoned by ${writer} about ${name}`
}

describe('beginning an attempt on a row that nobody holds', () => {
  test.each(situations.map(situation => ({ ...situation, answer: expectedOf(situation) })))(
    '$disposition, $started, proof $proof, request $request, cancel $cancel, waits $waits, budget used $budgetUsed: $answer',
    ({ answer, ...situation }) => {
      expect(nameOf(decide(situation))).toBe(answer)
    },
  )
})
