import type { Client } from '@temporalio/client'
import type { ProcessAttach } from '../execution/work-driver.ts'
import { LeaseholdError } from '../model/errors.ts'
import type { ProcessRegistry } from '../registry/registry.ts'

/**
 * For `ProcessWorkDriver.withAttach`: waits for the end of a process's workflow, and then reads the outcome, which the
 * registry had before. For hosts that would rather hold one call of the server's than watch the registry.
 */
export const createTemporalAttach = (client: Client, registry: ProcessRegistry): ProcessAttach => ({
  async awaitTerminal(id, { signal } = {}) {
    // One that fired before is never heard of by the call.
    signal?.throwIfAborted()
    const { WorkflowFailedError, WorkflowNotFoundError, temporalError } = await loadErrors()
    let failure: unknown
    try {
      await abortable(client, signal, () => client.workflow.getHandle(id).result())
    } catch (error) {
      signal?.throwIfAborted()
      failure = error
    }
    // Once more, however the run has ended: its process may have ended before it was terminated, or deleted.
    const record = await registry.requireRecord(id)
    if (record.outcome !== undefined) return record.outcome
    const isOver = failure instanceof WorkflowFailedError || failure instanceof WorkflowNotFoundError
    if (failure !== undefined && !isOver) throw temporalError(failure, id)
    const workflow = await statusOf(client, id)
    throw new LeaseholdError(
      'process_attach_ended',
      `The workflow of process "${id}" has ended (${workflow}), and the process has not: the sweep starts another run. Wait for it in the registry.`,
      { processId: id, cause: failure, details: { workflow } },
    )
  },
})

/** Loaded late, so that the package's entry loads nothing of Temporal's. */
async function loadErrors() {
  const [{ WorkflowFailedError, WorkflowNotFoundError }, { temporalError }] = await Promise.all([
    import('@temporalio/client'),
    import('./temporal-errors.ts'),
  ])
  return { WorkflowFailedError, WorkflowNotFoundError, temporalError }
}

/** In the server's own words. */
const statusOf = (client: Client, id: string): Promise<string> =>
  client.workflow
    .getHandle(id)
    .describe()
    .then(
      ({ status }) => status.name.toLowerCase(),
      () => 'not found',
    )

const abortable = <T>(client: Client, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> =>
  signal === undefined ? call() : client.withAbortSignal(signal, call)
