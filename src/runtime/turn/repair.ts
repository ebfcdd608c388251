import type { RuntimeHooks } from '../plugin.ts'

export type RepairToolCall = NonNullable<RuntimeHooks['repairToolCall']>

/** What the first of the hooks makes of a call; `undefined` where none of them repairs any. */
export function repairOf(hooks: readonly RuntimeHooks[]): RepairToolCall | undefined {
  if (hooks.every(hook => hook.repairToolCall === undefined)) return undefined
  return async asked => {
    for (const hook of hooks) {
      const repaired = await hook.repairToolCall?.(asked)
      if (repaired !== undefined && repaired !== null) return repaired
    }
    return null
  }
}
