import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import {
  CONTINUE_AS_NEW_EVENTS,
  NUDGE_SIGNAL,
  type Nudge,
  type ProcessActivities,
  type ProcessWorkflowCarry,
  type ProcessWorkflowInput,
  type ProcessWorkflowResult,
  type RunProcessResult,
} from '../contract.ts'

const nudge = defineSignal<[Nudge]>(NUDGE_SIGNAL)

/**
 * One process on Temporal: an activity, and after a park or silence a wait for a nudge. Everything else, deadlines
 * included, is the registry's, so that this history stays small and can be made again from nothing.
 *
 *   runProcess ─ done, unknown, external ──▶ return
 *       ▲      └ parked, silent ──▶ wait until the nudge counter moves ──┐
 *       └────────────────────────────────────────────────────────────────┘
 */
async function runProcessWorkflow(
  input: ProcessWorkflowInput,
  carry: ProcessWorkflowCarry = { nudges: 0 },
): Promise<ProcessWorkflowResult> {
  const { runProcess, recordCancel } = activities(input)
  let nudges = carry.nudges
  let attempt: CancellationScope | undefined

  const passCancelOn = () => {
    nudges++
    attempt?.cancel()
  }
  setHandler(nudge, kind => (kind === 'cancel' ? passCancelOn() : void nudges++))
  // Only the durable event means cancel: one that came through Temporal is recorded first, and then counts as a nudge.
  CancellationScope.current().cancelRequested.catch(() =>
    CancellationScope.nonCancellable(() => recordCancel(input)).then(passCancelOn, () => {}),
  )

  return CancellationScope.nonCancellable(async () => {
    while (true) {
      // Read when the activity is scheduled: a nudge that comes while it runs is not lost, it means go again.
      const seen = nudges
      attempt = new CancellationScope()
      const result = await runOnce(attempt, () => runProcess(input))
      attempt = undefined
      if (result?.type === 'done') return { status: result.status }
      if (result?.type === 'unknown' || result?.type === 'external') return { status: result.type }
      if (result !== undefined) {
        setCurrentDetails(describeWait(result))
        await condition(() => nudges !== seen)
        setCurrentDetails('running')
      }
      if (nudges === seen || workflowInfo().historyLength < CONTINUE_AS_NEW_EVENTS) continue
      // The next run begins with runProcess, so the nudge that ended the wait is not lost with the handlers.
      await continueAsNew<typeof runProcessWorkflow>(input, { nudges })
    }
  })
}

/**
 * `undefined`: the activity was cancelled before any worker had it, or its attempt failed after it was asked to stop,
 * which the server does not repeat. The row decides what a cancel means, so go again.
 */
async function runOnce(
  scope: CancellationScope,
  run: () => Promise<RunProcessResult>,
): Promise<RunProcessResult | undefined> {
  try {
    return await scope.run(run)
  } catch (error) {
    if (isCancellation(error) || scope.consideredCancelled) return undefined
    throw error
  }
}

function activities({ heartbeatTimeoutMs }: ProcessWorkflowInput) {
  const { runProcess } = proxyActivities<Pick<ProcessActivities, 'runProcess'>>({
    // The server wants a limit. Only the heartbeat ends an attempt: elapsed time is no reason to.
    startToCloseTimeout: '3650 days',
    heartbeatTimeout: heartbeatTimeoutMs,
    // A running attempt is never dropped: it would go on beside its successor.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
  })
  const { recordCancel } = proxyActivities<Pick<ProcessActivities, 'recordCancel'>>({
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
  })
  return { runProcess, recordCancel }
}

function describeWait(result: Extract<RunProcessResult, { type: 'parked' | 'silent' }>): string {
  if (result.type === 'silent')
    return 'silent: started owner-bound, its holder is gone, nobody knows what happened'
  return result.untilMs === undefined ? 'parked' : `parked until ${new Date(result.untilMs).toISOString()}`
}

export { runProcessWorkflow as process }
