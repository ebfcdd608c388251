import type { Trigger } from '../model/trigger.ts'
import type { TriggerOperations } from './registry.ts'

const PAGE = 1_000

/** In byte order of their ids. */
export async function allTriggers(
  registry: Pick<TriggerOperations, 'triggers'>,
): Promise<readonly Trigger[]> {
  const all: Trigger[] = []
  for (let after = ''; ; ) {
    const page = await registry.triggers({ after, limit: PAGE })
    all.push(...page)
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return all
    after = last.triggerId
  }
}
