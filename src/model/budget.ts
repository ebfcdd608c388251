import { LeaseholdError } from './errors.ts'
import type { ProcessId } from './ids.ts'

/** What a process may spend, with all its descendants. What is left out has no limit. */
export interface Budget {
  readonly tokens?: number
  /** Needs models whose price is known: a call that nobody can price is refused. */
  readonly costUsd?: number
  readonly modelCalls?: number
  readonly toolCalls?: number
  /** From the process's creation. No call begins after it, and one that is being made is stopped at its end. */
  readonly wallTimeMs?: number
}

/** Spent, or about to be. `costUsd` absent: nobody knows. */
export interface Spending {
  readonly tokens?: number
  readonly costUsd?: number
  readonly modelCalls?: number
  readonly toolCalls?: number
}

/**
 * What became of the budget of one process so far:
 *
 *   reserve, before the call ──▶ reserved ── the call has ended ──▶ what it took is spent
 *                                   ├── the worker died: the next attempt's reserve takes all of it for spent
 *                                   └── the process has ended: what is sure of it is spent, the rest is free again
 *
 * A call is charged to the process that makes it and to each of its ancestors that has a budget, and is made only if all
 * of them have room for it.
 */
export interface BudgetLedger {
  readonly processId: ProcessId
  readonly limits: Budget
  /** Ancestors with a budget, the nearest first. */
  readonly within: readonly ProcessId[]
  readonly sinceMs: number
  readonly spent: Total
  readonly reserved: Readonly<Record<string, Reservation>>
}

/** The most that a call may take. */
export interface Reservation extends Total {
  /** Whose call it is: the process's own, or a descendant's. */
  readonly by: ProcessId
  /** What is spent as soon as the call is made, whatever becomes of it. */
  readonly sure: Total
}

/** A call that is about to be made. */
export interface BudgetedCall {
  readonly id: string
  readonly asked: Spending
  /** What of it is spent as soon as it is made. Default: nothing. */
  readonly sure?: Spending
}

type Amount = keyof Spending
export type Total = Readonly<Record<Amount, number>>

const AMOUNTS = ['tokens', 'costUsd', 'modelCalls', 'toolCalls'] as const satisfies readonly Amount[]
const LIMITS: ReadonlySet<string> = new Set([...AMOUNTS, 'wallTimeMs'])

const NOTHING: Total = { tokens: 0, costUsd: 0, modelCalls: 0, toolCalls: 0 }

/** Money is added up in fractions of a cent; below this nothing is over. */
const ROUNDING = 1e-9

/** The budget that a policy states; `undefined` where it states none. Throws `process_env_invalid`. */
export function readBudget(stated: unknown): Budget | undefined {
  if (stated === undefined || stated === null) return undefined
  const limits = typeof stated === 'object' && !Array.isArray(stated) ? stated : { budget: stated }
  for (const [name, limit] of Object.entries(limits)) {
    if (LIMITS.has(name) && typeof limit === 'number' && Number.isFinite(limit) && limit >= 0) continue
    throw new LeaseholdError(
      'process_env_invalid',
      `The policy's budget has limits from 0 for ${[...LIMITS].join(', ')}, and no others; found ${JSON.stringify(name)}.`,
    )
  }
  return limits
}

/**
 * The ledger of a process whose own limits are known now. One that it has from those above it, since it was registered,
 * has none yet; those that it was opened with stay.
 */
export const limitedBy = (ledger: BudgetLedger, limits: Budget | undefined): BudgetLedger =>
  limits === undefined || Object.keys(ledger.limits).length > 0 ? ledger : { ...ledger, limits }

export const newLedger = (
  processId: ProcessId,
  { limits, within, sinceMs }: Pick<BudgetLedger, 'limits' | 'within' | 'sinceMs'>,
): BudgetLedger => ({ processId, limits, within, sinceMs, spent: NOTHING, reserved: {} })

/** The limit that a call would break. */
export interface BudgetRefusal {
  readonly type: 'exceeded'
  readonly limit: keyof Budget
  /** Whose budget it is: the process's own, or an ancestor's. */
  readonly processId: ProcessId
  readonly allowed: number
  /** Spent and reserved so far; of the wall time, what has passed. */
  readonly used: number
  /** What the call would take; absent where nobody knows. */
  readonly asked?: number
}

export type ReserveDecision =
  | { readonly type: 'reserved'; readonly ledgers: readonly BudgetLedger[]; readonly time?: TimeLeft }
  | BudgetRefusal

/** How long the call may take, and whose budget says so. */
export interface TimeLeft {
  readonly leftMs: number
  readonly processId: ProcessId
  readonly allowed: number
}

/** May the process make the call? Everybody it is charged to must have room; else nothing is reserved anywhere. */
export function decideReserve(
  ledgers: readonly BudgetLedger[],
  by: ProcessId,
  { id, asked, sure = {} }: BudgetedCall,
  now: number,
): ReserveDecision {
  const kept = ledgers.map(ledger => withLostAsSpent(ledger, id))
  for (const ledger of kept) {
    const refusal = findRefusal(ledger, asked, now)
    if (refusal !== undefined) return refusal
  }
  const reservation = { ...totalOf(asked), by, sure: totalOf(sure) }
  const [time] = kept.flatMap(ledger => timeLeft(ledger, now)).toSorted((one, two) => one.leftMs - two.leftMs)
  return {
    type: 'reserved',
    ledgers: kept.map(ledger => ({ ...ledger, reserved: { ...ledger.reserved, [id]: reservation } })),
    ...(time === undefined ? {} : { time }),
  }
}

function timeLeft({ limits, processId, sinceMs }: BudgetLedger, now: number): readonly TimeLeft[] {
  const { wallTimeMs } = limits
  return wallTimeMs === undefined
    ? []
    : [{ leftMs: sinceMs + wallTimeMs - now, processId, allowed: wallTimeMs }]
}

/** What the call took, in the place of what was reserved for it. */
export function settled(ledger: BudgetLedger, operationId: string, took: Spending): BudgetLedger {
  const { [operationId]: _, ...reserved } = ledger.reserved
  return { ...ledger, reserved, spent: sum(ledger.spent, totalOf(took)) }
}

/** Was the process making calls? */
export const hasReserved = (ledger: BudgetLedger, by: ProcessId): boolean =>
  Object.values(ledger.reserved).some(reservation => reservation.by === by)

/**
 * The process has ended in the middle of its calls. Each has been made; what was kept for an answer that nobody waits for
 * any more is free for others.
 */
export function closed(ledger: BudgetLedger, by: ProcessId): BudgetLedger {
  const own = Object.entries(ledger.reserved).filter(([, reservation]) => reservation.by === by)
  return own.reduce((left, [id, { sure }]) => settled(left, id, sure), ledger)
}

/** Whoever reserved it before has died, and nobody knows what was spent of it. */
function withLostAsSpent(ledger: BudgetLedger, operationId: string): BudgetLedger {
  const lost = ledger.reserved[operationId]
  return lost === undefined ? ledger : settled(ledger, operationId, lost)
}

function findRefusal(ledger: BudgetLedger, asked: Spending, now: number): BudgetRefusal | undefined {
  const { limits, processId, sinceMs } = ledger
  const passed = now - sinceMs
  if (limits.wallTimeMs !== undefined && passed >= limits.wallTimeMs)
    return { type: 'exceeded', limit: 'wallTimeMs', processId, allowed: limits.wallTimeMs, used: passed }
  const used = Object.values(ledger.reserved).reduce(sum, ledger.spent)
  for (const limit of AMOUNTS) {
    const [allowed, more] = [limits[limit], asked[limit]]
    if (allowed === undefined) continue
    const refusal = { type: 'exceeded', limit, processId, allowed, used: used[limit] } as const
    // A call of a model takes money; how much, somebody has to know.
    if (more === undefined && limit === 'costUsd' && (asked.modelCalls ?? 0) > 0) return refusal
    if (used[limit] + (more ?? 0) > allowed + ROUNDING) return { ...refusal, asked: more ?? 0 }
  }
  return undefined
}

/** Of a call that was stopped because its time was over. */
export const timeUp = ({ processId, allowed }: TimeLeft): BudgetRefusal => ({
  type: 'exceeded',
  limit: 'wallTimeMs',
  processId,
  allowed,
  used: allowed,
})

const totalOf = (spending: Spending): Total => sum(NOTHING, spending)

const sum = (left: Total, right: Spending): Total => ({
  tokens: left.tokens + (right.tokens ?? 0),
  costUsd: left.costUsd + (right.costUsd ?? 0),
  modelCalls: left.modelCalls + (right.modelCalls ?? 0),
  toolCalls: left.toolCalls + (right.toolCalls ?? 0),
})

export function refusalText({ limit, processId, allowed, used, asked }: BudgetRefusal): string {
  const what =
    asked === undefined ? 'nobody knows what this call would add' : `this call may take ${asked} more`
  const more = limit === 'wallTimeMs' ? '' : `, and ${what}`
  return `the budget of process "${processId}" allows ${allowed} of ${limit}; used ${used}${more}`
}
