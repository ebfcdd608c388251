/**
 * Flow control: how many processes of a key may run at a time, and how many may begin in a period. Who may not yet waits
 * in the queue of its key, by priority and then by age, without a lease and without a working slot:
 *
 *   beginAttempt ── go ──▶ a lease that counts as a place ── freed, lapsed ──▶ the next of the queue is told
 *        └── wait ──▶ queued ── told: due at its turn ──▶ beginAttempt
 *
 * A place is nothing but a live lease, so that whatever ends a lease frees its place. An order is kept only as long as it
 * holds nobody up: one who was told and does not come within `TURN_MS` is passed over until it does.
 */

/** What a start may ask for. Without it a process begins as soon as a worker has room. */
export interface Flow {
  /** At most `limit` processes of the key run at a time. One that is parked does not. */
  readonly concurrency?: { readonly key: string; readonly limit: number }
  /**
   * Of the key, `limit` processes begin in each period, evenly; after a pause up to `burst` at once. What goes on after a
   * park or a crash has begun already. Default burst: the limit.
   */
  readonly rate?: {
    readonly key: string
    readonly limit: number
    readonly periodMs: number
    readonly burst?: number
  }
  /** 1 comes first, 5 last. Default 3. Among the queued of one key, and among the tasks of a Temporal queue. */
  readonly priority?: number
  /** Temporal's: of one priority, the keys take turns, by their weights. Default weight 1. */
  readonly fairness?: { readonly key: string; readonly weight?: number }
}

/** What a queued process waits for. */
export interface Turn {
  readonly on: 'concurrency' | 'rate'
  readonly key: string
  readonly sinceMs: number
  /** It was told that its turn is then. Absent: others come first. */
  readonly atMs?: number
}

export const DEFAULT_PRIORITY = 3
const LAST_PRIORITY = 5
/** Temporal refuses longer fairness keys. */
const MAX_FAIRNESS_KEY_BYTES = 64
const MAX_KEY_LENGTH = 256
const MAX_WEIGHT = 1_000

/** How long those behind it wait for one whose turn has come. */
export const TURN_MS = 30_000
/** The first who was not told yet looks by itself so often, should whoever had to tell it have died. */
export const LOOK_MS = 30_000
/** Of a rate, the turns of so long are given out ahead, so that a begin takes none of the next one's time. */
export const AHEAD_MS = 1_000

export const hasTurns = (flow: Flow | undefined): flow is Flow =>
  flow?.concurrency !== undefined || flow?.rate !== undefined

/** One name for the queue of a key, in columns and locks. */
export const queueOf = ({ on, key }: Pick<Turn, 'on' | 'key'>): string => `${on}:${key}`

/** The reverse of `queueOf`. */
export function parseQueue(queue: string): Pick<Turn, 'on' | 'key'> {
  const [on = '', ...key] = queue.split(':')
  return { on: on === 'rate' ? on : 'concurrency', key: key.join(':') }
}

/** What stands in the way of one process: counted under the locks of its keys. */
export interface TurnFacts {
  /** Live leases of others that hold a place of the key. */
  readonly held: number
  /** Queued for a place, and to come first. */
  readonly aheadForPlace: number
  /** When the next of an evenly spaced row would begin; absent: none has begun lately. */
  readonly nextMs?: number | undefined
  /** Queued for the rate, and to come first. */
  readonly aheadForRate: number
}

export type TurnDecision =
  | { readonly type: 'go'; readonly place?: string; readonly nextMs?: number }
  | ({ readonly type: 'wait' } & Pick<Turn, 'on' | 'key'>)

/** May it begin now? A place first: what waits for one uses up nothing of a rate. */
export function decideTurn(
  { concurrency, rate }: Flow,
  { attempts }: { readonly attempts: number },
  facts: TurnFacts,
  now: number,
): TurnDecision {
  if (concurrency !== undefined && facts.held + facts.aheadForPlace >= concurrency.limit) {
    return { type: 'wait', on: 'concurrency', key: concurrency.key }
  }
  const place = concurrency === undefined ? {} : { place: concurrency.key }
  if (rate === undefined || attempts > 0) return { type: 'go', ...place }
  if (rateTurn(rate, facts.nextMs, facts.aheadForRate, now) > now) {
    return { type: 'wait', on: 'rate', key: rate.key }
  }
  return { type: 'go', ...place, nextMs: Math.max(facts.nextMs ?? now, now) + intervalOf(rate) }
}

/** When it is the turn of one of a queue that `ahead` others come before; `undefined`: nobody knows yet. */
export function turnOf(
  { concurrency, rate }: Flow,
  on: Turn['on'],
  { held, nextMs, ahead }: { readonly held: number; readonly nextMs?: number; readonly ahead: number },
  now: number,
): number | undefined {
  if (on === 'rate') return rate === undefined ? now : rateTurn(rate, nextMs, ahead, now)
  return concurrency === undefined || held + ahead < concurrency.limit ? now : undefined
}

/**
 * The generic cell rate algorithm: begins are spaced evenly in theory, and one may come before its time by as much as
 * `burst` allows. All that has to be kept is the theoretical time of the next.
 */
function rateTurn(
  rate: NonNullable<Flow['rate']>,
  nextMs: number | undefined,
  ahead: number,
  now: number,
): number {
  const interval = intervalOf(rate)
  const early = interval * (burstOf(rate) - 1)
  const mine = Math.max(nextMs ?? now, now) + ahead * interval
  return Math.max(now, Math.ceil(mine - early))
}

/** So many may begin at once. */
export const burstOf = ({ burst, limit }: NonNullable<Flow['rate']>): number => burst ?? limit

const intervalOf = ({ limit, periodMs }: NonNullable<Flow['rate']>): number => periodMs / limit

/** What is wrong with it, to go on after "has"; `undefined`: nothing. */
export function findFlowProblem({ concurrency, rate, priority, fairness }: Flow): string | undefined {
  for (const [name, limited] of Object.entries({ concurrency, rate })) {
    if (limited === undefined) continue
    const { key, limit } = limited
    if (key.trim() === '' || key.length > MAX_KEY_LENGTH)
      return `a ${name} key of ${key.length} characters; it needs 1 to ${MAX_KEY_LENGTH}, not all blank`
    if (limit < 1) return `a ${name} limit of ${limit}; it must be above 0`
  }
  if (rate !== undefined && rate.periodMs < 1)
    return `a rate period of ${rate.periodMs} ms; it must be above 0`
  if (rate?.burst !== undefined && rate.burst < 1) return `a burst of ${rate.burst}; it must be above 0`
  if (priority !== undefined && (priority < 1 || priority > LAST_PRIORITY))
    return `priority ${priority}; it is 1 (first) to ${LAST_PRIORITY}`
  if (fairness === undefined) return undefined
  const bytes = new TextEncoder().encode(fairness.key).length
  if (bytes < 1 || bytes > MAX_FAIRNESS_KEY_BYTES)
    return `a fairness key of ${bytes} bytes; Temporal takes 1 to ${MAX_FAIRNESS_KEY_BYTES}`
  const { weight = 1 } = fairness
  return weight > 0 && weight <= MAX_WEIGHT
    ? undefined
    : `a fairness weight of ${weight}; it is above 0 and up to ${MAX_WEIGHT}`
}

/** A start's own wins over its kind's, part by part. */
export function joinFlow(kinds: Flow | undefined, own: Flow | undefined): Flow | undefined {
  const joined = { ...kinds, ...own }
  return Object.keys(joined).length === 0 ? undefined : joined
}

/** For people. */
export const turnText = ({ on, key }: Turn): string =>
  on === 'concurrency' ? `a place of "${key}"` : `the rate of "${key}"`
