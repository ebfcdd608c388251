import { LeaseholdError } from './errors.ts'

/** A signal named `n` is an event of the type `signal.n`. */
const PREFIX = 'signal.'

export const MAX_SIGNAL_NAME_LENGTH = 128

export const signalEventType = (name: string): string => `${PREFIX}${name}`

/** The name of the signal that events of this type are; `undefined` for other events. */
export const signalNameOf = (eventType: string): string | undefined =>
  eventType.startsWith(PREFIX) ? eventType.slice(PREFIX.length) : undefined

/** What is wrong with a signal's name; `undefined` where nothing is. */
export function findSignalNameProblem(name: string): string | undefined {
  if (name.length > MAX_SIGNAL_NAME_LENGTH)
    return `has ${name.length} characters; the limit is ${MAX_SIGNAL_NAME_LENGTH}`
  return /^[A-Za-z0-9_-]+$/.test(name) ? undefined : 'is not made of ASCII letters, digits, "_" and "-"'
}

/** Throws `process_signal_name_invalid`. */
export function requireSignalName(processId: string, name: string): void {
  const problem = findSignalNameProblem(name)
  if (problem === undefined) return
  throw new LeaseholdError(
    'process_signal_name_invalid',
    `The signal name ${JSON.stringify(name.slice(0, 80))} for process "${processId}" ${problem}.`,
    { processId },
  )
}

/** The key of a wait for a signal; the ordinal counts the waits for this name, from 1, in each epoch of the journal. */
export const signalWaitKey = (
  processId: string,
  name: string,
  { epoch, ordinal }: { readonly epoch: number; readonly ordinal: number },
): string => `process:${processId}:${signalEventType(name)}:${epoch === 0 ? '' : `${epoch}:`}${ordinal}`
