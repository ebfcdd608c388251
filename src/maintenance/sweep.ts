import type { ExecutionEnvironment } from '../execution/environment.ts'
import type { ProcessRunner } from '../execution/runner.ts'
import { type ProcessRunHandle, submissionOf } from '../execution/submit.ts'
import { isLeaseholdError, messageOf } from '../model/errors.ts'
import type { StoredProcess } from '../model/process.ts'

const BATCH = 100

/** Rows in hand at a time: one that is locked, or whose server call hangs, keeps no more than its own place. */
const WIDTH = 8

export interface SweepReport {
  readonly submitted: readonly string[]
  readonly settled: readonly string[]
  readonly failed: readonly { readonly id: string; readonly reason: string }[]
}

/**
 * One pass over the rows that need somebody. Each row stands alone: one that fails, in whatever way, does not keep the
 * others from being handled. Repeating it is harmless. A server that cannot be reached ends the pass, and the rows stay
 * due. `limit`: default 100 rows. `isByHand`: those too that are left to
 * somebody else for a moment.
 */
export async function sweepOnce(
  environment: ExecutionEnvironment,
  runner: ProcessRunner,
  handle: ProcessRunHandle,
  { limit = BATCH, isByHand = false }: { readonly limit?: number; readonly isByHand?: boolean } = {},
): Promise<SweepReport> {
  const { registry } = environment
  const due = await (isByHand ? registry.pendingProcesses(limit) : registry.dueProcesses(limit))
  return sweepRows(due, environment, runner, handle)
}

/** The same for rows that the caller has found. */
export async function sweepRows(
  due: readonly StoredProcess[],
  { registry }: ExecutionEnvironment,
  runner: ProcessRunner,
  handle: ProcessRunHandle,
): Promise<SweepReport> {
  const submitted: string[] = []
  const settled: string[] = []
  const failed: { id: string; reason: string }[] = []
  const rows = due.values()
  let isServerGone = false

  const sweepRow = async (process: StoredProcess): Promise<void> => {
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
      // Nothing else would be taken either.
      if (isLeaseholdError(error, 'temporal_unreachable')) isServerGone = true
      // The row's own failure: it comes back later, and later each time. A row that cannot even be told so stays due.
      else await registry.postpone(id, submissionOf(process.record)).catch(() => {})
    }
  }
  // The iterator is shared: each takes the next row when it is done with one.
  const take = async () => {
    for (const process of rows) {
      if (isServerGone) return
      await sweepRow(process)
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, take))
  return { submitted, settled, failed }
}

/** An externally owned process never has a run; the sweep itself acts on a request to abandon it. */
const isSettledHere = ({ record }: StoredProcess): boolean => record.disposition === 'externally_owned'
