import { Context } from '@temporalio/activity'
import type { ProcessActivities, ProcessWorkflowInput, RunProcessResult } from '../contract.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import type { ProcessRunner, RunAnswer } from '../execution/runner.ts'
import { LeaseholdError } from '../model/errors.ts'
import { toApplicationFailure, translated, tryAgain } from './failures.ts'

/** A holder is looked at again after its lease, but at least this often: it may end sooner. */
const BUSY_RETRY_MS = 5_000

/** Temporal in, execution out. `shutdown` fires when the worker's grace is over. */
export function createProcessActivities(
  environment: ExecutionEnvironment,
  runner: ProcessRunner,
  shutdown: AbortSignal,
): ProcessActivities {
  const { registry } = environment

  const requireOwnRegistry = ({ registryId, processId }: ProcessWorkflowInput) => {
    if (registryId === registry.registryId) return
    throw new LeaseholdError(
      'registry_mismatch',
      `Process "${processId}" belongs to registry ${registryId}; this worker serves ${registry.registryId}. Give each registry its own task queue.`,
      { processId, details: { registryId, served: registry.registryId } },
    )
  }

  return {
    runProcess: input =>
      translated(async () => {
        requireOwnRegistry(input)
        const answer = await drive(input, { environment, runner, shutdown })
        return resultOf(input.processId, answer)
      }),

    recordCancel: input =>
      translated(async () => {
        requireOwnRegistry(input)
        await registry.requestCancel(input.processId, 'engine cancel')
      }),
  }
}

interface Driver {
  readonly environment: ExecutionEnvironment
  readonly runner: ProcessRunner
  readonly shutdown: AbortSignal
}

async function drive(
  { processId: id, isRerunnable = false }: ProcessWorkflowInput,
  { environment, runner, shutdown }: Driver,
): Promise<RunAnswer> {
  const context = Context.current()
  const stop = new AbortController()
  let checkCancel = () => {}
  // Only a durable cancel, a lost lease and the worker's shutdown stop an attempt. Whatever else Temporal says about the
  // activity (not found, reset, paused, timed out) is logged, and the attempt finishes under its lease.
  context.cancellationSignal.addEventListener('abort', () => {
    const details = context.cancellationDetails
    if (details?.workerShutdown) return stop.abort()
    if (details?.cancelRequested) return checkCancel()
    environment.logger.info('Temporal dropped the activity; the attempt goes on under its lease', {
      processId: id,
      ...details,
    })
  })
  return runner.run(id, {
    backendToken: Buffer.from(context.info.taskToken).toString('base64'),
    isRerunnable,
    onRenewed: () => context.heartbeat(),
    // Temporal's signal fires once: after a cancel or a dropped activity, only the worker itself can tell of its end.
    shutdown: AbortSignal.any([stop.signal, shutdown]),
    onCheckCancel: check => {
      checkCancel = check
      if (context.cancellationDetails?.cancelRequested) check()
    },
  })
}

function resultOf(id: string, answer: RunAnswer): RunProcessResult {
  switch (answer.type) {
    case 'busy': {
      const holder = answer.holder.owner.ownerId
      const message = `Process "${id}" is held by ${holder}, fence ${answer.holder.fencingToken}.`
      throw tryAgain('process_lease_busy', message, Math.min(answer.remainingMs, BUSY_RETRY_MS))
    }
    case 'released':
      throw tryAgain('worker_shutdown', 'The worker shut down and gave the lease back.', 1)
    case 'lost':
      throw tryAgain('process_lease_lost', `Another attempt holds process "${id}" now.`, 1_000)
    case 'store_failed':
      throw toApplicationFailure(answer.error, answer.retryInMs)
    case 'queued':
      // To the workflow a wait like any other: a nudge ends it.
      return { type: 'parked' }
    default:
      return answer
  }
}
