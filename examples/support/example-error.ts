import { isLeaseholdError } from '../../src/index.ts'

/** What the example itself has to say to its user, under a code, as the library's own errors are. */
export class ExampleError extends Error {
  override readonly name = 'ExampleError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** The user asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

const EXIT_CODES: Readonly<Record<string, number>> = {
  usage: 2,
  process_registration_conflict: 4,
  temporal_unreachable: 5,
}

/** One line for people, and the exit code for programs. Never a stack trace. */
export function explain(error: unknown): { readonly line: string; readonly exitCode: number } {
  const code = error instanceof ExampleError || isLeaseholdError(error) ? error.code : 'internal'
  const message = error instanceof Error ? error.message : String(error)
  return { line: `error: ${code}: ${message}`, exitCode: EXIT_CODES[code] ?? 1 }
}
