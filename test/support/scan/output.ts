import type { ChildProcess } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { refuseFindings, secretsIn } from './run-secrets.ts'

/**
 * Keeps what a child says on either stream, and fails the test, at its end, where a planted secret is in it. Called before
 * the child's end is arranged for: what is arranged later is done earlier. `isPassedOn`: people see its standard error.
 */
export function scanOutput(
  { stdout, stderr }: Pick<ChildProcess, 'stdout' | 'stderr'>,
  { isPassedOn = false }: { readonly isPassedOn?: boolean } = {},
): void {
  const streams = Object.entries({ 'standard output': stdout, 'standard error': stderr }).map(
    ([name, stream]) => {
      const said: Buffer[] = []
      stream?.on('data', (piece: Buffer) => said.push(piece))
      return { name, said }
    },
  )
  if (isPassedOn) stderr?.on('data', (piece: Buffer) => void process.stderr.write(piece))
  onTestFinished(() => {
    const findings = streams.flatMap(({ name, said }) =>
      secretsIn(Buffer.concat(said)).secrets.map(secret => `${name}: ${secret}`),
    )
    refuseFindings('what a child said', findings)
  })
}
