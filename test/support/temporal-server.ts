import { homedir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startDevServer } from '../../src/dev-server/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the Temporal server that the whole run shares. */
    temporalAddress: string
  }
}

/** A missing server fails the run: nothing is skipped. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startDevServer({
    env: process.env,
    cacheDir: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'leasehold'),
    onProgress: line => console.log(line),
  })
  project.provide('temporalAddress', server.address)
  return () => server.stop()
}
