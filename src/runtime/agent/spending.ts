import type { Spending } from '../../model/budget.ts'
import { refusalText } from '../../model/budget.ts'
import { isLeaseholdError } from '../../model/errors.ts'
import { type ProcessContext, StepNotDone } from '../context.ts'
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

/** Not made, for want of money or time: said of a `once` call too, for it has not begun. */
class BudgetExceeded extends StepNotDone {
  readonly code = EXCEEDED
}

/** Reserves what the call may take of the process's budget and of those around it, or throws; for the code of a step. */
export async function reserve(ctx: ProcessContext, operationId: string, asked: Spending): Promise<void> {
  if (!hasBudget(ctx)) return
  const answer = await ctx.reserveBudget({ id: operationId, asked })
  if (answer.type === 'exceeded') throw new BudgetExceeded(`The call was not made: ${refusalText(answer)}.`)
}

export async function settle(ctx: ProcessContext, operationId: string, took: Spending): Promise<void> {
  if (hasBudget(ctx)) await ctx.settleBudget(operationId, took)
}

/** A step that failed for its budget ends the process so, whatever the SDK makes of errors. */
export function budgetFailure(error: unknown): ProcessFailure | undefined {
  const isIt = isLeaseholdError(error, 'step_failed') && error.details.errorCode === EXCEEDED
  return isIt ? new ProcessFailure(EXCEEDED, error.message, { cause: error }) : undefined
}

/** What a model call may take: its prompt, and the longest answer that it asks for. */
export function askedOf(
  { prompt, tools, maxOutputTokens = ANSWER_TOKENS }: ModelParams,
  price: ModelPrice | undefined,
): Spending {
  const input = Math.ceil(JSON.stringify(toWire([prompt, tools])).length / CHARS_PER_TOKEN)
  const tokens = input + maxOutputTokens
  if (price === undefined) return { modelCalls: 1, tokens }
  const costUsd = (input * price.input + maxOutputTokens * price.output) / TOKENS_PER_PRICE
  return { modelCalls: 1, tokens, costUsd }
}

export const tookOf = ({ inputTokens, outputTokens, costUsd }: ModelUsage): Spending => ({
  modelCalls: 1,
  tokens: inputTokens + outputTokens,
  ...(costUsd === undefined ? {} : { costUsd }),
})

/** A context of another make has none. */
const hasBudget = (ctx: ProcessContext): ctx is BodyContext => 'reserveBudget' in ctx
