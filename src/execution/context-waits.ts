import type { ProcessEvent } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import type { EventWaitOptions, ProcessContext, ReceivedSignal, WaitOptions } from '../runtime/context.ts'
import type { AttemptScope } from './attempt-scope.ts'
import { requireOutsideStep } from './current-step.ts'
import type { Waits } from './waits.ts'

export type Endless<Options> = Options & { readonly timeout?: never }

/** The context's calls that wait. */
export function waitCalls(
  scope: AttemptScope,
  waits: Waits,
): Pick<ProcessContext, 'sleep' | 'waitForSignal' | 'waitForEvent' | 'outcomeOf'> {
  const requireHere = (what: string, name: string) => {
    requireOutsideStep(what, name)
    scope.requireActive()
  }

  function waitForSignal(name: string, options?: Endless<WaitOptions>): Promise<ReceivedSignal>
  function waitForSignal(name: string, options: WaitOptions): Promise<ReceivedSignal | undefined>
  async function waitForSignal(name: string, options: WaitOptions = {}) {
    requireHere('waitForSignal', name)
    return waits.signal(name, options)
  }

  function waitForEvent(id: string, type: string, options?: Endless<EventWaitOptions>): Promise<ProcessEvent>
  function waitForEvent(
    id: string,
    type: string,
    options: EventWaitOptions,
  ): Promise<ProcessEvent | undefined>
  async function waitForEvent(id: string, type: string, options: EventWaitOptions = {}) {
    requireHere('waitForEvent', type)
    return waits.event(id, type, options)
  }

  function outcomeOf(id: string, options?: Endless<WaitOptions>): Promise<Outcome>
  function outcomeOf(id: string, options: WaitOptions): Promise<Outcome | undefined>
  async function outcomeOf(id: string, options: WaitOptions = {}) {
    requireHere('outcomeOf', id)
    return waits.outcome(id, options)
  }

  return {
    sleep: async (duration, { key } = {}) => {
      requireHere('sleep', 'sleep')
      if (!Number.isFinite(duration instanceof Date ? duration.getTime() : duration))
        throw new RangeError(`ctx.sleep takes milliseconds or a date; found ${String(duration)}`)
      return waits.sleep(duration, key)
    },
    waitForSignal,
    waitForEvent,
    outcomeOf,
  }
}
