import { outsideChildProcesses } from './child-processes.ts'
import { currentStep } from './current-step.ts'

/**
 * Runs an attempt apart from whatever it was begun by. That may be the code of another process: a step that starts a
 * process, or whose write makes one due. Its asynchronous context would go with it: the attempt's emits would bear that
 * step's address, its steps be refused as nested, and its child processes end with those of the other.
 */
export const apartFromOthers = <T>(attempt: () => T): T =>
  currentStep.run(undefined, () => outsideChildProcesses(attempt))
