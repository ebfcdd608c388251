import type { FailureClass } from '../model/outcome.ts'

/** Thrown by a process's code to fail with a code and a class of its own choosing. */
export class ProcessFailure extends Error {
  override readonly name = 'ProcessFailure'
  readonly code: string
  readonly class: FailureClass

  constructor(
    code: string,
    message: string,
    options: { readonly class?: FailureClass; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.class = options.class ?? 'execution'
  }
}
