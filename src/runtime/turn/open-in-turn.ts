import { isLeaseholdError } from '../../model/errors.ts'
import { turnAhead } from '../../model/session.ts'
import type { BodyContext } from '../tool-call.ts'

/** Between two looks at a session that somebody else than a process has. */
const LOOK_AGAIN_MS = { first: 1_000, most: 60_000 }

/**
 * Opens the session of a turn that waits for it: behind each turn that stands before it, parked, until that has ended.
 * `open` is not journaled: a later attempt may find others ahead, or nobody.
 */
export async function openInTurn(ctx: BodyContext, open: () => Promise<void>): Promise<void> {
  const strangers = new Set<string>()
  let delayMs = LOOK_AGAIN_MS.first
  for (;;) {
    try {
      return await open()
    } catch (error) {
      const ahead = turnAhead(error)
      if (ahead === undefined) throw error
      if (!strangers.has(ahead) && (await hasEnded(ctx, ahead))) continue
      // The host's own code has the session, and nothing tells when it is done.
      strangers.add(ahead)
      await ctx.sleep(delayMs)
      delayMs = Math.min(2 * delayMs, LOOK_AGAIN_MS.most)
    }
  }
}

/** False: no process of this registry is the turn. */
async function hasEnded(ctx: BodyContext, turnId: string): Promise<boolean> {
  try {
    await ctx.outcomeOf(turnId)
    return true
  } catch (error) {
    if (isLeaseholdError(error, 'step_failed')) return false
    throw error
  }
}
