import { hash } from 'node:crypto'
import { LeaseholdError } from './errors.ts'
import type { ProcessId } from './ids.ts'
import { hashJson, type Json } from './json.ts'
import type { LeaseOwner } from './lease.ts'

/**
 * The journal is what makes an attempt repeat the one before it: every context call whose answer could differ the next
 * time has one entry, written under the lease before the answer is given to the code.
 *
 *   repeatable step:  (none) ── run, then one write ──▶ done | failed
 *   once step:        (none) ── claim ──▶ claimed ── run ──▶ done | failed (said: not done) | unknown
 *                                           └── crash: stays claimed, which the next attempt reads as unknown
 *   unknown:          ── the code is told ──▶ unknown for it at every replay, whatever is found out later
 *                     ── reconciled, or resolved by hand ──▶ done, or not_done: run anew once the claimer cannot begin
 *
 * done, failed and what the code was told are never written again.
 */
export interface JournalEntry {
  readonly processId: ProcessId
  readonly epoch: number
  /** The order in which entries were first written, from 1. */
  readonly position: number
  /** Unique within the epoch: `name[key]`, or `name#occurrence` where no key was given. */
  readonly address: string
  readonly kind:
    | 'step'
    | 'sleep'
    | 'emit'
    | 'now'
    | 'signal'
    | 'event'
    | 'outcome'
    | 'answer'
    | 'start'
    | 'cancel'
    | 'send'
    | 'state'
  readonly effect: StepEffect
  /** Hash of what identifies the call; another one at the same address means that the code took another way. */
  readonly digest: string
  readonly status: 'claimed' | 'done' | 'failed' | 'unknown' | 'not_done'
  readonly operationId: string
  readonly value?: Json
  readonly failure?: StepFailure
  /** The incarnation of the attempt that wrote it. */
  readonly attempt: string
  readonly fence: number
  /** Of a `once` step: the worker that claimed it, and the last moment at which it may still begin. */
  readonly claimedBy?: LeaseOwner
  readonly startByMs?: number
  readonly startedAtMs: number
  readonly endedAtMs?: number
  /** Of an unknown step: the code has gone on with `step_unknown`, so every replay of it must. */
  readonly isTold?: true
  readonly resolution?: StepResolution
}

/** Who said what an unknown step came to. `reconcile`: the step's own `onUnknown`. */
export type StepResolution = { readonly answer: 'done' | 'not_done'; readonly atMs: number } & (
  | { readonly kind: 'reconcile' }
  | { readonly kind: 'by_hand'; readonly by: string }
)

/** What a side effect may suffer. `repeatable`: may run again after a crash. `once`: claimed before, never run again unless known not done. */
export type StepEffect = 'repeatable' | 'once'

/** A final failure as the journal keeps it, so that a replay throws the same. */
export interface StepFailure {
  readonly name: string
  readonly message: string
  readonly code?: string
  /** Of a `LeaseholdError`: its ids and facts. */
  readonly details?: LeaseholdError['details']
}

export const MAX_STEP_NAME_LENGTH = 200
export const MAX_STEP_KEY_LENGTH = 1_000

/** `name[key]`, or `name#occurrence`. Names hold none of `[ ] #`, so no two calls share an address. */
export function stepAddress(name: string, key: string | undefined, occurrence: number): string {
  return key === undefined ? `${name}#${occurrence}` : `${name}[${key}]`
}

/** The name that the address begins with. */
export const nameOf = (address: string): string => address.slice(0, address.search(/[[#]/))

/** What tells it apart from the others of its name: its key, or its occurrence. */
export const keyOf = (address: string): string => address.slice(nameOf(address).length + 1).replace(/\]$/, '')

export function requireStepName(name: string, key: string | undefined, processId: ProcessId): void {
  const problem = findNameProblem(name) ?? (key === undefined ? undefined : findKeyProblem(key))
  if (problem === undefined) return
  throw new LeaseholdError(
    'step_name_invalid',
    `The step name ${JSON.stringify(name.slice(0, 80))} ${problem}. Choose another; put what varies into the key.`,
    { processId },
  )
}

function findNameProblem(name: string): string | undefined {
  if (name.trim() === '') return 'is blank'
  if (/[[\]#\p{Cc}]/u.test(name)) return 'holds one of "[", "]", "#" or a control character'
  if (name.length > MAX_STEP_NAME_LENGTH) {
    return `has ${name.length} characters (at most ${MAX_STEP_NAME_LENGTH})`
  }
  return name.isWellFormed() ? undefined : 'is not well-formed Unicode'
}

function findKeyProblem(key: string): string | undefined {
  if (key === '' || key.length > MAX_STEP_KEY_LENGTH || /\p{Cc}/u.test(key)) {
    return `has a key that is empty, over ${MAX_STEP_KEY_LENGTH} characters, or holds a control character`
  }
  // A database would give back another key, and the next attempt would not find its step.
  return key.isWellFormed()
    ? undefined
    : 'has a key that is not well-formed Unicode; was it cut inside a character?'
}

/** Stable over attempts, new for every life of the process id: what a step hands on as idempotency key. */
export function operationIdOf(
  process: { readonly id: ProcessId; readonly incarnation: string; readonly epoch: number },
  address: string,
): string {
  const seed = [process.id, process.incarnation, String(process.epoch), address].join('\u0000')
  return `op_${hash('sha256', seed).slice(0, 40)}`
}

/** Identifies a call for comparison with the journal: its kind, effect, key and declared input. */
export const stepDigest = (call: {
  readonly kind: JournalEntry['kind']
  readonly effect: StepEffect
  readonly key?: string
  readonly input?: Json
}): string => hashJson([call.kind, call.effect, call.key ?? null, call.input ?? null])

/** May this entry take the place of the one that stands there? The saving statement compares the same. */
export const mayReplace = (stored: JournalEntry, next: JournalEntry): boolean => {
  switch (stored.status) {
    case 'claimed':
      return true
    case 'unknown':
      return stored.isTold !== true
    case 'not_done':
      return next.status === 'claimed'
    default:
      return false
  }
}

export type StepDecision =
  | { readonly type: 'run' }
  | { readonly type: 'value'; readonly value: Json }
  | { readonly type: 'failure'; readonly failure: StepFailure }
  /** Claimed or attempted before, with no word on what came of it. `isTold`: the code has heard so before. */
  | { readonly type: 'unknown'; readonly entry: JournalEntry; readonly isTold: boolean }

/** What the journal says about a call that the code makes now. */
export function decideStep(
  entry: JournalEntry | undefined,
  call: { readonly processId: ProcessId; readonly address: string; readonly digest: string },
): StepDecision {
  if (entry === undefined) return { type: 'run' }
  if (entry.digest !== call.digest) {
    throw new LeaseholdError(
      'step_diverged',
      `Step "${call.address}" of process "${call.processId}" was journaled as another call (digest ${entry.digest.slice(0, 12)}…, ${entry.kind}, ${entry.effect}) than the code makes now (${call.digest.slice(0, 12)}…). The code or its input changed between attempts: give the new step a new name or key.`,
      { processId: call.processId, details: { step: call.address } },
    )
  }
  switch (entry.status) {
    case 'done':
      return { type: 'value', value: entry.value ?? null }
    case 'failed':
      return { type: 'failure', failure: entry.failure ?? { name: 'Error', message: 'the step failed' } }
    case 'not_done':
      return { type: 'run' }
    case 'claimed':
    case 'unknown':
      return { type: 'unknown', entry, isTold: entry.isTold === true }
  }
}

/**
 * May a step that was found *not done* be run again? Only when whoever claimed it can no longer begin: it is proven
 * dead, or its last moment to begin has passed. Otherwise the answer is how long to wait for that moment.
 */
export function decideRunAnew(
  entry: JournalEntry,
  isClaimerDead: boolean,
  now: number,
): { readonly type: 'run' } | { readonly type: 'wait'; readonly ms: number } {
  const startByMs = entry.startByMs ?? 0
  return isClaimerDead || startByMs <= now ? { type: 'run' } : { type: 'wait', ms: startByMs - now }
}

/** The last moment at which a claimed step may begin: its claim plus the shorter of its time limit and the lease's. */
export const startByOf = (now: number, timeoutMs: number | undefined, ttlMs: number): number =>
  now + Math.min(timeoutMs ?? ttlMs, ttlMs)

/** The `once` steps of this epoch that the code returned without visiting: it took another way than before. */
export function requireAllVisited(
  processId: ProcessId,
  journal: Iterable<JournalEntry>,
  visited: ReadonlySet<string>,
): void {
  for (const entry of journal) {
    if (entry.effect !== 'once' || visited.has(entry.address)) continue
    throw new LeaseholdError(
      'step_diverged',
      `Process "${processId}" returned without visiting its journaled once step "${entry.address}". The code took another way than in an earlier attempt, so what that step did would be forgotten.`,
      { processId, details: { step: entry.address } },
    )
  }
}

/** The effects that nobody can vouch for: what a cancelled or failed process lists. */
export const unknownEffects = (
  journal: Iterable<JournalEntry>,
): readonly { step: string; operationId: string }[] =>
  [...journal]
    .filter(({ effect, status, resolution }) => {
      const isUnknown = status === 'claimed' || (status === 'unknown' && resolution === undefined)
      return effect === 'once' && isUnknown
    })
    .map(entry => ({ step: entry.address, operationId: entry.operationId }))

/** Will the step's code not run again, whatever becomes of the attempt? */
export const isSettled = ({ status, isTold }: JournalEntry): boolean =>
  status === 'done' || status === 'failed' || (status === 'unknown' && isTold === true)
