import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from './context.ts'

/** Where the Temporal CLI and the workflow bundle are kept. */
export const cacheFolder = (env: Environment): string =>
  join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'leasehold')
