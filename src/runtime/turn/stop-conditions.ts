import { isLeaseholdError } from '../../model/errors.ts'
import type { StopConditionTable } from '../plugin.ts'
import type { BodyContext } from '../tool-call.ts'
import { type TurnPolicy, turnFailed } from './policy.ts'
import { stepResultOf, type TurnStep } from './step-result.ts'

/** Those that the policy names, in its order. */
export type StopConditions = readonly (readonly [name: string, condition: StopConditionTable[string]])[]

export function chooseStopConditions(
  conditions: StopConditionTable,
  { stopWhen = [] }: TurnPolicy,
): StopConditions {
  return stopWhen.map(name => {
    const condition = Object.hasOwn(conditions, name) ? conditions[name] : undefined
    if (condition !== undefined) return [name, condition]
    const known = Object.keys(conditions).join(', ') || 'none'
    throw turnFailed(
      `the host has no stop condition "${name}", which the turn's policy names. It has: ${known}`,
    )
  })
}

/**
 * The name of the first condition that is met after these steps. What they say is journaled: a function of the host's own
 * may say something else at the next attempt, or in the next build.
 */
export async function findStop(
  ctx: BodyContext,
  conditions: StopConditions,
  steps: readonly TurnStep[],
): Promise<string | undefined> {
  if (conditions.length === 0) return undefined
  const ask = async (): Promise<string | null> => {
    const done = steps.map((step, stepNumber) => stepResultOf(step, { callId: ctx.id, stepNumber }))
    const met = await Promise.all(conditions.map(([, condition]) => condition({ steps: done })))
    return conditions.find((_, index) => met[index])?.[0] ?? null
  }
  try {
    return (await ctx.step('stop', ask, { key: String(steps.length) })) ?? undefined
  } catch (error) {
    if (!isLeaseholdError(error, 'step_failed')) throw error
    throw turnFailed(`a stop condition of its policy threw: ${error.message.replace(/\.$/, '')}`, error)
  }
}
