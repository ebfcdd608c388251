import type { ExecutionEnvironment } from '../execution/environment.ts'
import type { ProcessRunner } from '../execution/runner.ts'
import { type ProcessRunHandle, submissionOf } from '../execution/submit.ts'
import { isTransient, messageOf } from '../model/errors.ts'
import type { StoredProcess } from '../model/process.ts'

const BATCH = 100

export interface SweepReport {
  readonly submitted: readonly string[]
  readonly settled: readonly string[]
  readonly failed: readonly { readonly id: string; readonly reason: string }[]
}

/**
 * One pass over the rows that need somebody. Each row stands alone: one that fails does not keep the others from being
 * handled. Repeating it is harmless. A server that cannot be reached ends the pass, and the rows stay due.
 */
export async function sweepOnce(
  environment: ExecutionEnvironment,
  runner: ProcessRunner,
  handle: ProcessRunHandle,
): Promise<SweepReport> {
  const due = await environment.registry.dueProcesses(BATCH)
  const submitted: string[] = []
  const settled: string[] = []
  const failed: { id: string; reason: string }[] = []
  for (const process of due) {
    const { id } = process.record
    try {
      if (isSettledHere(process)) {
        await runner.settle(id)
        settled.push(id)
      } else {
        await handle.submit(submissionOf(process.record))
        submitted.push(id)
      }
    } catch (error) {
      failed.push({ id, reason: messageOf(error) })
      // Nothing else would be taken either. Any other failure is this row's own: it comes back later, and later each time.
      if (isTransient(error)) break
      await environment.registry.postpone(id, submissionOf(process.record))
    }
  }
  return { submitted, settled, failed }
}

/** An externally owned process never has a run; the sweep itself acts on a request to abandon it. */
const isSettledHere = ({ record }: StoredProcess): boolean => record.disposition === 'externally_owned'
