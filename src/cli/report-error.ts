import { CommanderError } from 'commander'
import { type ErrorCode, isLeaseholdError, messageOf } from '../model/errors.ts'
import { withoutSecrets } from '../model/secret.ts'
import { EXIT, exitCodeOf } from './exit-code.ts'
import { Interrupted } from './interrupts.ts'
import { manyLines } from './plain-text.ts'

interface Reported {
  readonly code: ErrorCode
  readonly message: string
  /** Ids and facts that the message names. */
  readonly facts?: object
}

/** Says on standard error what went wrong, and returns the exit code that goes with it. */
export function reportError(
  error: unknown,
  { isJson, isDebug }: { readonly isJson: boolean; readonly isDebug: boolean },
): number {
  if (error instanceof Interrupted) return error.exitCode
  // Help and version: commander has printed them.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done
  const { code, message, facts } = describe(error)
  const stack = isDebug && error instanceof Error ? withoutSecrets(stackOf(error)) : undefined
  const text = isJson
    ? JSON.stringify({ error: { code, message, ...facts, ...(stack === undefined ? {} : { stack }) } })
    : [`error: ${code}: ${message}`, ...(stack === undefined ? [] : [stack])].join('\n')
  process.stderr.write(`${isJson ? text : manyLines(text)}\n`)
  return exitCodeOf(code)
}

function describe(error: unknown): Reported {
  // Commander has shown the help already, and has nothing more to say.
  if (error instanceof CommanderError && error.code === 'commander.help') {
    return { code: 'usage', message: 'Name a command.' }
  }
  if (error instanceof CommanderError) return { code: 'usage', message: usageSentence(error.message) }
  if (isLeaseholdError(error)) {
    const { code, message, processId, details } = error
    return { code, message, facts: { ...(processId === undefined ? {} : { processId }), ...details } }
  }
  return {
    code: 'internal',
    message: `${messageOf(error).replace(/[.\s]*$/, '')}. This was not expected; the same command with --debug shows where it happened.`,
  }
}

/** "error: unknown option '--frob'\n(Did you mean --from?)" as a sentence. */
function usageSentence(message: string): string {
  const text = message.replace(/^error: /, '').replaceAll('\n', '. ')
  const sentence = text.charAt(0).toUpperCase() + text.slice(1)
  return `${sentence.replace(/[.\s]*$/, '')}. See leasehold --help.`
}

/** With its causes, which are where a wrapped error came from. */
function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${stackOf(error.cause)}` : ''
  return `${error.stack ?? messageOf(error)}${cause}`
}
