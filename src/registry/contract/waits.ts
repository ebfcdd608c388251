import type { ProcessRecord } from '../../model/process.ts'
import type { WaitState } from '../../model/wait.ts'
import type { ChangeResult } from './rows.ts'

/** Waits set from outside. A running process parks on its own, under its lease. */
export interface WaitOperations {
  /** Adds the wait, or replaces the one of its key. Throws `process_wait_on_terminal`. */
  setWait(id: string, wait: WaitState): Promise<ProcessRecord>
  /** Takes away the wait of this key, or all of them: the process can go on. Nothing to take away changes nothing. */
  clearWait(id: string, key?: string): Promise<ChangeResult>
}
