import type { ProcessId } from '../model/ids.ts'
import type { Outcome } from '../model/outcome.ts'
import type { ContextHandle, ProcessContext, WaitOptions } from '../runtime/context.ts'
import type { AttemptScope } from './attempt-scope.ts'
import type { Endless } from './context-waits.ts'
import { requireOutsideStep } from './current-step.ts'
import type { OtherProcesses } from './other-processes.ts'

/** The context's calls about other processes. */
export function handleCalls(
  scope: AttemptScope,
  { others, outcomeOf }: { readonly others: OtherProcesses; readonly outcomeOf: ProcessContext['outcomeOf'] },
): Pick<ProcessContext, 'start' | 'handle'> {
  const requireHere = (what: string, name: string) => {
    requireOutsideStep(what, name)
    scope.requireActive()
  }

  function handle(processId: string): ContextHandle {
    function outcome(options?: Endless<WaitOptions>): Promise<Outcome>
    function outcome(options: WaitOptions): Promise<Outcome | undefined>
    function outcome(options: WaitOptions = {}) {
      return outcomeOf(processId, options)
    }
    return {
      id: processId as ProcessId,
      outcome,
      cancel: async reason => {
        requireHere('handle.cancel', processId)
        await others.cancel(processId, reason)
      },
      signal: async (name, payload = null) => {
        requireHere('handle.signal', name)
        await others.signal(processId, name, payload)
      },
    }
  }

  return {
    start: async (request, { key } = {}) => {
      requireHere('start', request.kind)
      const { id, started } = await others.start(request, key)
      return { ...handle(id), started }
    },
    handle,
  }
}
