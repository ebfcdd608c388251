import type { HistoryAndWorkflowId } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import { Worker, type WorkflowBundleOption } from '@temporalio/worker'

export interface ReplayOptions {
  /** The workflow code to replay with. */
  readonly workflowBundle: WorkflowBundleOption
  /** What the histories were written by. Default: Temporal's. */
  readonly dataConverter?: DataConverter
}

export interface Replayed {
  readonly workflowId: string
  /** Why this build could not go on with the run; absent: it can. */
  readonly reason?: string
}

/** Replays the histories one by one, in their order, on this machine: no server hears of it, and no activity runs. */
export async function* replayHistories(
  histories: Iterable<HistoryAndWorkflowId> | AsyncIterable<HistoryAndWorkflowId>,
  { workflowBundle, dataConverter }: ReplayOptions,
): AsyncIterable<Replayed> {
  const converter = dataConverter === undefined ? {} : { dataConverter }
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle, ...converter },
    histories,
  )) {
    yield error === undefined ? { workflowId } : { workflowId, reason: reasonOf(error) }
  }
}

/** Temporal wraps what the code did otherwise into what that means, which our caller says itself. */
const reasonOf = ({ message }: Error): string => message.replace(/^.*?Details: /s, '').trim()
