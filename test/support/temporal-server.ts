import { homedir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import type { TestProject } from 'vitest/node'
import { startDevServer } from '../../src/dev-server/index.ts'
import { scanHistories } from './scan/histories.ts'
import { CONTROL, RUN_ENV, refuseFindings, secretsIn, TEMPORAL_METADATA } from './scan/run-secrets.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the Temporal server that the whole run shares. */
    temporalAddress: string
  }
}

/** A missing server fails the run: nothing is skipped. At its end all that the server holds is scanned for secrets. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startDevServer({
    env: { ...process.env, ...RUN_ENV },
    cacheDir: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'leasehold'),
    onProgress: line => console.log(line),
  })
  project.provide('temporalAddress', server.address)
  // What else somebody's own server holds is theirs.
  if (server.source === 'TEMPORAL_ADDRESS') return () => server.stop()
  return async () => {
    try {
      await plantControl(server.address)
      await requireNoSecrets(server.address)
    } finally {
      await server.stop()
    }
    const { stderr } = await server.exited
    refuseFindings(
      'the log of the Temporal server',
      secretsIn(stderr).secrets.map(name => `standard error: ${name}`),
    )
  }
}

/** A run that nobody takes, with an input as any other. */
async function plantControl(address: string): Promise<void> {
  const connection = await Connection.connect({ address, metadata: TEMPORAL_METADATA })
  await new Client({ connection }).workflow.start('nothing', {
    taskQueue: 'nobody',
    workflowId: `control-${process.pid}-${Date.now()}`,
    args: [CONTROL],
  })
  await connection.close()
}

async function requireNoSecrets(address: string): Promise<void> {
  const startedAt = performance.now()
  const { runs, bytes, findings, hasControl } = await scanHistories(address)
  if (!hasControl) throw new Error('The scan does not find what was planted in a history to be found.')
  refuseFindings('histories of Temporal', findings)
  const [megabytes, seconds] = [bytes / 2 ** 20, (performance.now() - startedAt) / 1_000]
  console.log(
    `No planted secret in ${runs} histories of Temporal, ${megabytes.toFixed(1)} MB (${seconds.toFixed(1)} s)`,
  )
}
