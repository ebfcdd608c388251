import type { Client, HistoryAndWorkflowId } from '@temporalio/client'
import { WorkflowNotFoundError } from '@temporalio/common'
import { TEMPORAL_BACKEND, WORKFLOW_TYPE } from '../contract.ts'
import type { ProcessRecord } from '../model/process.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { Host } from '../runtime/host.ts'
import { type ReplayOptions, replayHistories } from './replay-histories.ts'

/** So many histories are held at a time. */
const PAGE = 50

export interface DeployCheckOptions extends ReplayOptions {
  readonly registry: ProcessRegistry
  readonly client: Client
  /** The host module of the new build. Without it nobody looks whether it still has all engines. */
  readonly host?: Host
}

/** A process that the new build would break, and how. */
export interface Breaking {
  readonly id: string
  readonly type: 'replay' | 'engine_missing'
  readonly reason: string
}

export interface DeployReport {
  /** Runs that the new build can go on with, or cannot: all that were replayed. */
  readonly replayed: number
  /** Processes whose run stays with the build that it began in, by Temporal's worker versioning. */
  readonly pinned: number
  /** Processes without an open run that has begun: whatever build is there begins one. */
  readonly withoutRun: number
  readonly breaking: readonly Breaking[]
}

/**
 * Replays the open run of every process that has not ended against the workflow code of a new build, before that is
 * deployed. Which processes those are the registry says, not the server's visibility, which lags.
 */
export async function checkDeploy(options: DeployCheckOptions): Promise<DeployReport> {
  const counts = { replayed: 0, pinned: 0, withoutRun: 0 }
  const breaking: Breaking[] = []
  for await (const records of livePages(options.registry)) {
    breaking.push(...records.flatMap(record => missingEngine(record, options.host)))
    const runs: HistoryAndWorkflowId[] = []
    for (const run of await Promise.all(records.map(record => openRun(options.client, record)))) {
      if (run === 'none') counts.withoutRun += 1
      else if (run === 'pinned') counts.pinned += 1
      else runs.push(run)
    }
    counts.replayed += runs.length
    for await (const { workflowId: id, reason } of replayHistories(runs, options))
      if (reason !== undefined) breaking.push({ id, type: 'replay', reason })
  }
  return { ...counts, breaking }
}

async function* livePages(registry: ProcessRegistry): AsyncIterable<readonly ProcessRecord[]> {
  let page = await registry.listNonTerminal({ limit: PAGE })
  while (true) {
    yield page.records
    const { next, through } = page
    if (next === undefined || through === undefined) return
    page = await registry.listNonTerminal({ after: next, through, limit: PAGE })
  }
}

/** Such a process would not wait for another deploy: it would end as failed. */
function missingEngine({ id, input }: ProcessRecord, host: Host | undefined): Breaking[] {
  if (host === undefined || input.type !== 'engine' || Object.hasOwn(host.engines ?? {}, input.kind))
    return []
  const reason = `The host module has no engine "${input.kind}"; the process would fail.`
  return [{ id, type: 'engine_missing', reason }]
}

/** gRPC's numbers of the events that matter here. */
const PINNED = 1
const CLOSED =
  /^workflowExecution(Completed|Failed|TimedOut|Canceled|Terminated|ContinuedAsNew)EventAttributes$/

async function openRun(
  client: Client,
  { externalRef }: ProcessRecord,
): Promise<HistoryAndWorkflowId | 'pinned' | 'none'> {
  if (externalRef?.backend !== TEMPORAL_BACKEND) return 'none'
  const workflowId = externalRef.id
  const history = await client.workflow.getHandle(workflowId).fetchHistory().catch(noSuchRun)
  const events = history?.events ?? []
  const [first, last] = [events[0], events.at(-1)]
  const type = first?.workflowExecutionStartedEventAttributes?.workflowType?.name
  if (type !== WORKFLOW_TYPE || Object.keys(last ?? {}).some(name => CLOSED.test(name))) return 'none'
  // Without one, no code has seen the run yet.
  const seen = events.findLast(event => event.workflowTaskCompletedEventAttributes != null)
  if (history === undefined || seen === undefined) return 'none'
  const isPinned = seen.workflowTaskCompletedEventAttributes?.versioningBehavior === PINNED
  return isPinned ? 'pinned' : { workflowId, history }
}

/** The server may have lost it, or keep it no longer. */
function noSuchRun(error: unknown): undefined {
  if (error instanceof WorkflowNotFoundError) return undefined
  throw error
}
