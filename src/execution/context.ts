import { rolloverRefused } from '../model/epoch.ts'
import { isLeaseholdError, LeaseholdError } from '../model/errors.ts'
import { replayKeys } from '../model/event.ts'
import { type Json, toJson } from '../model/json.ts'
import type { StoredProcess } from '../model/process.ts'
import { requirePayloadSize } from '../model/registration.ts'
import type { ProcessContext, StepOptions, StepScope } from '../runtime/context.ts'
import type { Logger } from '../runtime/logger.ts'
import { Rollover } from '../runtime/rollover.ts'
import type { BodyContext } from '../runtime/tool-call.ts'
import type { AttemptScope } from './attempt-scope.ts'
import { handleCalls } from './context-handles.ts'
import { waitCalls } from './context-waits.ts'
import { currentStep, requireOutsideStep } from './current-step.ts'
import type { JournalSession } from './journal-session.ts'
import type { OtherProcesses } from './other-processes.ts'
import type { Parking } from './parking.ts'
import { SeededRandom } from './seeded-random.ts'
import type { StepRunner } from './step-runner.ts'
import type { Streams } from './streams.ts'
import type { Waits } from './waits.ts'

export interface ContextParts {
  readonly process: StoredProcess
  readonly input: Json
  readonly state: Json | undefined
  readonly scope: AttemptScope
  readonly journal: JournalSession
  readonly steps: StepRunner
  readonly waits: Waits
  readonly others: OtherProcesses
  readonly parking: Parking
  readonly streams: Streams
  readonly logger: Logger
  readonly runtime: ProcessContext['runtime']
  readonly calls: Pick<
    BodyContext,
    | 'openCall'
    | 'requestApproval'
    | 'useApproval'
    | 'reserveBudget'
    | 'settleBudget'
    | 'nextOwnEvent'
    | 'endingChildren'
  >
}

/** What the host's code calls. Each call checks that the attempt is not over, and holds off a park while it works. */
export function createContext(parts: ContextParts): BodyContext {
  const { process, input, scope, journal, steps, waits, others, parking, streams, logger, runtime, calls } =
    parts
  const { record, epoch } = process
  const chance = new SeededRandom(`${record.id}\u0000${record.incarnation}\u0000${epoch}`)

  const waiting = waitCalls(scope, waits)

  const during = async <T>(call: () => Promise<T>): Promise<T> => {
    scope.requireActive()
    return parking.during(call)
  }

  async function step<T>(
    name: string,
    run: (step: StepScope) => T | Promise<T>,
    options: StepOptions<T> = {},
  ): Promise<T> {
    requireOutsideStep('step', name)
    const { effect = 'repeatable', key, input: stepInput } = options
    return during(async () => {
      const call = journal.open(name, { kind: 'step', effect, key, input: stepInput })
      const inStep = async (step: StepScope) => {
        streams.beginTry(call.address)
        const { address } = call
        const isOver = () => isLeaseholdError(step.signal.reason, 'step_timed_out')
        const value = await currentStep.run({ address, emitted: 0, isOver }, () => run(step))
        await streams.endStep(call.address)
        return value
      }
      try {
        return await steps.run(call, inStep, options)
      } finally {
        journal.close(name, 'step')
      }
    })
  }

  async function emit(eventType: string, payload: Json) {
    const within = currentStep.getStore()
    // In a step the attempt and an ordinal are part of the key: a step that runs again emits again.
    const key = within === undefined ? undefined : `${within.address}:${journal.attempt}:${++within.emitted}`
    return during(async () => {
      const name = eventType.replaceAll(/[[\]#]/g, '_')
      const call = journal.open(name, { kind: 'emit', effect: 'repeatable', key })
      try {
        const replayKey = replayKeys.emitted(record.id, epoch, call.address)
        return await journal.emit(journal.draft(call, { status: 'done', endedAtMs: Date.now() }), {
          eventType,
          payload,
          replayKey,
        })
      } finally {
        journal.close(name, 'emit')
      }
    })
  }

  async function now(): Promise<number> {
    return during(async () => {
      const call = journal.open('now', { kind: 'now', effect: 'repeatable' })
      const known = journal.entry(call.address)
      const entry =
        known ?? (await journal.save(journal.draft(call, { status: 'done', value: journal.now() })))
      journal.close('now', 'now')
      return entry.value as number
    })
  }

  return {
    id: record.id,
    input,
    state: parts.state,
    attempt: record.attempts,
    disposition: record.disposition,
    family: record.wakeTarget?.sessionId ?? record.id,
    signal: scope.signal,
    log: logger,
    runtime,
    ...calls,
    waitForAnswer: (key, untilMs) => {
      requireOutsideStep('waitForAnswer', key)
      scope.requireActive()
      return waits.answer(key, untilMs)
    },
    step,
    ...waiting,
    ...handleCalls(scope, { others, outcomeOf: waiting.outcomeOf }),
    stream: channel => streams.writer(channel),
    emit,
    now,
    rollover: state => {
      requireOutsideStep('rollover', 'rollover')
      if (record.disposition === 'owner_bound') throw rolloverRefused(record.id)
      return new Rollover(requireState(record.id, state))
    },
    random: () => chance.random(),
    uuid: () => chance.uuid(),
    use: resource => {
      scope.requireActive()
      scope.defer(() =>
        Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
      )
      return resource
    },
    defer: cleanUp => {
      scope.requireActive()
      scope.defer(cleanUp)
    },
  }
}

/** Here rather than in the registry: what is refused has to come to the code, which may end in another way. */
function requireState(processId: string, state: unknown): Json {
  const stored = toJson(state)
  if (stored.ok) {
    requirePayloadSize('state handed on by a rollover', stored.json, processId)
    return stored.json
  }
  throw new LeaseholdError(
    'process_output_invalid',
    `The state of a rollover must be plain JSON; found ${stored.found} at ${stored.path}.`,
  )
}
