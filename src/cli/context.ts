import type { Output } from './output.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What every command gets: the only environment that anything in this program reads, and where its answers go. */
export interface CliContext {
  readonly env: Environment
  readonly output: Output
  /** The exit code of a command that ends well, where that is not 0. */
  exitWith(code: number): void
}
