import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { findTemporalServer } from '../../src/dev-server/index.ts'

const run = promisify(execFile)

export const temporalCacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'leasehold')

/** Where the Temporal CLI is; the one that runs the tests' servers. */
export const temporalCliPath = async (): Promise<string> =>
  (await findTemporalServer({ env: process.env, cacheDir: temporalCacheDir })).path

/** What an operator does, with Temporal's own CLI. Rejects with what it said if it fails. */
export async function operate(args: readonly string[], address = inject('temporalAddress')): Promise<void> {
  // None of the settings of whoever runs the tests.
  const own = ['--address', address, '--disable-config-file', '--disable-config-env']
  await run(await temporalCliPath(), [...args, ...own])
}
