import { type BudgetedCall, refusalText, type Spending, type TimeLeft, timeUp } from '../../model/budget.ts'
import { isLeaseholdError } from '../../model/errors.ts'
import { LONGEST_TIMER_MS } from '../../model/timer.ts'
import { type ProcessContext, StepNotDone, type StepScope } from '../context.ts'
import { ProcessFailure } from '../process-failure.ts'
import type { BodyContext } from '../tool-call.ts'
import type { ModelPrice, ModelUsage } from './model-call.ts'
import type { ModelParams } from './model-types.ts'
import { toWire } from './wire.ts'

const EXCEEDED = 'process_budget_exceeded'

/** A token of English has about this many characters; what is reserved need not be right, but not be far too little. */
const CHARS_PER_TOKEN = 4
/** Of a call that sets no limit to its answer. */
const ANSWER_TOKENS = 4_096
const TOKENS_PER_PRICE = 1_000_000

/** What a call may take, and what of it is spent as soon as it is made. */
export type Planned = Pick<BudgetedCall, 'asked' | 'sure'>

/** Not made, for want of money or time: said of a `once` call too, for it has not begun. */
class BudgetExceeded extends StepNotDone {
  readonly code = EXCEEDED
}

/** Stopped while it was being made: what it has done by then nobody knows, so it is not said to be not done. */
class TimeUp extends Error {
  readonly code = EXCEEDED
}

/**
 * Makes a call in the code of a step: reserves what it may take of the process's budget and of those around it, or throws.
 * Where they limit the time, the call's signal fires at its end, and nobody waits for the call any longer.
 */
export async function withinBudget<T>(
  ctx: ProcessContext,
  { operationId, signal }: StepScope,
  planned: Planned,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!hasBudget(ctx)) return call(signal)
  const answer = await ctx.reserveBudget({ id: operationId, ...planned })
  if (answer.type === 'exceeded') throw new BudgetExceeded(`The call was not made: ${refusalText(answer)}.`)
  const time = answer.type === 'reserved' ? answer.time : undefined
  // A limit beyond what a timer can hold is none.
  return time === undefined || time.leftMs > LONGEST_TIMER_MS ? call(signal) : withinTime(time, signal, call)
}

async function withinTime<T>(
  time: TimeLeft,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const over = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new TimeUp(`The call was stopped: ${refusalText(timeUp(time))}.`)
    // Before the call hears of it, whose own error would say less.
    over.reject(error)
    limit.abort(error)
  }, time.leftMs)
  try {
    return await Promise.race([over.promise, call(AbortSignal.any([signal, limit.signal]))])
  } finally {
    clearTimeout(timer)
  }
}

export async function settle(ctx: ProcessContext, operationId: string, took: Spending): Promise<void> {
  if (hasBudget(ctx)) await ctx.settleBudget(operationId, took)
}

/** A step that failed for its budget ends the process so, whatever the SDK makes of errors. */
export function budgetFailure(error: unknown): ProcessFailure | undefined {
  const isIt = isLeaseholdError(error, 'step_failed') && error.details.errorCode === EXCEEDED
  return isIt ? new ProcessFailure(EXCEEDED, error.message, { cause: error }) : undefined
}

/** What a model call may take: its prompt, which is paid for in any case, and the longest answer that it asks for. */
export function plannedOf(
  { prompt, tools, maxOutputTokens = ANSWER_TOKENS }: ModelParams,
  price: ModelPrice | undefined,
): Required<Planned> {
  const input = Math.ceil(JSON.stringify(toWire([prompt, tools])).length / CHARS_PER_TOKEN)
  const spending = (output: number): Spending => ({
    modelCalls: 1,
    tokens: input + output,
    ...(price === undefined
      ? {}
      : { costUsd: (input * price.input + output * price.output) / TOKENS_PER_PRICE }),
  })
  return { asked: spending(maxOutputTokens), sure: spending(0) }
}

export const tookOf = ({ inputTokens, outputTokens, costUsd }: ModelUsage): Spending => ({
  modelCalls: 1,
  tokens: inputTokens + outputTokens,
  ...(costUsd === undefined ? {} : { costUsd }),
})

/** A context of another make has none. */
const hasBudget = (ctx: ProcessContext): ctx is BodyContext => 'reserveBudget' in ctx
