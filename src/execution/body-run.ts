import { approvalKeyOf } from '../model/approval.ts'
import { readBudget } from '../model/budget.ts'
import { isLeaseholdError } from '../model/errors.ts'
import { operationIdOf, stepAddress } from '../model/journal.ts'
import type { Json } from '../model/json.ts'
import type { StoredProcess } from '../model/process.ts'
import { lookUntil } from '../registry/awaiter.ts'
import { agentStateOf } from '../runtime/agent/agent-state.ts'
import { type Body, bodyInput } from '../runtime/body.ts'
import { Rollover } from '../runtime/rollover.ts'
import type { ProcessRuntime } from '../runtime/runtime.ts'
import type { Context } from '../telemetry/spans.ts'
import type { AttemptScope } from './attempt-scope.ts'
import { endingChildren } from './child-processes.ts'
import { type ContextParts, createContext } from './context.ts'
import type { ExecutionEnvironment } from './environment.ts'
import type { JournalSession } from './journal-session.ts'
import type { LeaseKeeper } from './lease-keeper.ts'
import { OtherProcesses } from './other-processes.ts'
import { Parking } from './parking.ts'
import { StepRunner } from './step-runner.ts'
import { Streams } from './streams.ts'
import { UnknownSteps } from './unknown-steps.ts'
import { WaitRunner } from './wait-runner.ts'
import { Waits } from './waits.ts'
import type { WorkingSlot } from './working-slots.ts'

export interface BodyRunParts {
  readonly environment: ExecutionEnvironment
  readonly process: StoredProcess
  readonly scope: AttemptScope
  readonly keeper: LeaseKeeper
  readonly slot: WorkingSlot
  readonly journal: JournalSession
  readonly runtime: ProcessRuntime
  readonly traced: Context
  /** No park before: the entry of the body is still being recorded. */
  readonly entered: Promise<unknown>
  /** What the epoch began with; absent in the first one. */
  readonly state: Json | undefined
}

/** Its errors are values: code that goes on after a stop must not become an unhandled rejection. */
export type BodyResult =
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'rollover'; readonly state: Json }
  | { readonly type: 'error'; readonly error: unknown }

export interface BodyRun {
  readonly returned: Promise<BodyResult>
  stopParking(): void
}

/** Puts a context together for one epoch of the process's journal, and enters its code. */
export function startBody(body: Body, parts: BodyRunParts): BodyRun {
  const { environment, process, scope, journal, runtime, state } = parts
  const { record } = process
  const { registry, logger } = environment
  const streams = createStreams(parts)
  const parking = createParking(parts, streams)
  const waiting = { registry, journal, scope, parking, logger }
  const ctx = createContext({
    process,
    input: bodyInput(record),
    state,
    scope,
    journal,
    steps: createSteps(parts, new WaitRunner(waiting)),
    waits: new Waits(record, waiting),
    others: new OtherProcesses(record, { environment, journal, parking }),
    parking,
    streams,
    logger,
    runtime,
    calls: createCalls(parts),
  })
  return {
    returned: runBody(body, ctx, { journal, streams, scope, runtime }),
    stopParking: () => parking.stop(),
  }
}

function createCalls({
  environment,
  process,
  scope,
  keeper,
  journal,
  runtime,
}: BodyRunParts): ContextParts['calls'] {
  let isUnlimited = false
  const { registry } = environment
  const { id } = process.record
  return {
    openCall: ({ key, timeout }) => {
      const deadline = timeout === undefined ? {} : { untilMs: keeper.now() + timeout }
      return scope.write(keeper, lease => registry.openCall(lease, { key, ...deadline }))
    },
    requestApproval: ({ callId, timeout, approval }) => {
      const { incarnation } = process.record
      const address = stepAddress('approval', `${approval.tool} ${callId}`, 0)
      const key = approvalKeyOf(operationIdOf({ id, incarnation, epoch: process.epoch }, address))
      if (journal.entry(stepAddress('answer', key, 0))?.status === 'done') return Promise.resolve({ key })
      const deadline = timeout === undefined ? {} : { untilMs: keeper.now() + timeout }
      return scope.write(keeper, lease => registry.requestApproval(lease, { key, approval, ...deadline }))
    },
    useApproval: (key, use) => scope.write(keeper, lease => registry.useApproval(lease, key, use)),
    reserveBudget: async operation => {
      const limits = readBudget(runtime.policy.budget)
      if (isUnlimited) return { type: 'unlimited' }
      const answer = await scope.write(keeper, lease =>
        registry.reserveBudget(lease, {
          ...(limits === undefined ? {} : { limits }),
          ...(operation === undefined ? {} : { operation }),
        }),
      )
      // Neither its own nor an ancestor's: none of them gets one while it runs.
      isUnlimited = answer.type === 'unlimited'
      return answer
    },
    settleBudget: async (operationId, took) => {
      if (isUnlimited) return
      await scope.write(keeper, lease => registry.settleBudget(lease, { operationId, took }))
    },
    endingChildren,
    nextOwnEvent: (eventType, after, signal) =>
      lookUntil(registry, id, () => registry.findEvent(id, eventType, after), {
        signal: AbortSignal.any([signal, scope.over]),
      }),
  }
}

function createSteps(
  { environment, scope, keeper, journal, traced }: BodyRunParts,
  waits: WaitRunner,
): StepRunner {
  const { worker, timings, instruments } = environment
  const { stepSeconds } = instruments
  const requireLease = () => scope.write(keeper, async () => {})
  const unknown = new UnknownSteps({ journal, scope, worker, waits })
  return new StepRunner({
    journal,
    scope,
    worker,
    ttlMs: timings.ttlMs,
    unknown,
    requireLease,
    traced,
    stepSeconds,
  })
}

function createStreams({ environment, process, scope, journal }: BodyRunParts): Streams {
  return new Streams({
    process,
    registry: environment.registry,
    write: write => journal.write(write),
    read: read => scope.read(read),
    requireActive: () => scope.requireActive(),
    isSettled: step => journal.isSettled(step),
  })
}

function createParking(
  { environment, process, scope, keeper, slot, entered }: BodyRunParts,
  streams: Streams,
): Parking {
  const { registry, parkGraceMs } = environment
  // An owner-bound body may never be entered again, so it cannot leave either.
  if (process.record.disposition === 'owner_bound') return new Parking(slot, undefined)
  return new Parking(slot, {
    graceMs: parkGraceMs,
    now: () => keeper.now(),
    park: async waits => {
      await entered
      // Nothing more is written until the wait is over.
      await streams.flush()
      const answer = await scope.write(keeper, lease => registry.park(lease, waits))
      if (answer.type === 'parked') scope.stop(answer)
      return answer.type === 'parked'
    },
  })
}

interface RunParts {
  readonly journal: JournalSession
  readonly streams: Streams
  readonly scope: AttemptScope
  readonly runtime: ProcessRuntime
}

async function runBody(body: Body, ctx: Parameters<Body>[0], parts: RunParts): Promise<BodyResult> {
  await parts.streams.open()
  const result = await enterBody(body, ctx, parts)
  if (parts.scope.over.aborted) return result
  // Where another attempt goes on, that one says the rest.
  const isFinal = result.type !== 'error' || !ctx.signal.aborted || isCancel(ctx.signal.reason)
  await parts.streams.close({ isFinal })
  return result
}

/** What keeps the lists that tools are made of. */
const TOOLS_STEP = 'listed tools'

const isCancel = (reason: unknown): boolean => isLeaseholdError(reason, 'process_cancelled')

async function enterBody(
  body: Body,
  ctx: Parameters<Body>[0],
  { journal, runtime, scope }: RunParts,
): Promise<BodyResult> {
  try {
    // Before its code can start children, who spend of it.
    if (runtime.policy.budget !== undefined) await ctx.reserveBudget()
    await runtime.pinTools?.((plugin, list) => ctx.step(TOOLS_STEP, () => list, { key: plugin }))
    // The write that says so may have failed meanwhile: the code of an attempt that is over is not begun.
    scope.over.throwIfAborted()
    const value = await body(ctx)
    agentStateOf(ctx).requireTold()
    journal.requireAllVisited()
    return value instanceof Rollover ? { type: 'rollover', state: value.state } : { type: 'value', value }
  } catch (error) {
    return { type: 'error', error }
  }
}
