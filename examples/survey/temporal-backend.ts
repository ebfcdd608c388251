import { Client, Connection } from '@temporalio/client'
import { startDevServer } from '../../src/dev-server/index.ts'
import { createProcessClient } from '../../src/index.ts'
import { ExampleError } from '../support/example-error.ts'
import type { Backend, BackendOptions } from './backend.ts'
import { createSurveyHost } from './host.ts'

/** Starts a Temporal server, or finds the one that the environment names, and connects to it. */
export async function createTemporalBackend(options: BackendOptions): Promise<Backend> {
  const { dataDir, env, cacheDir, progress, signal } = options
  const failure = new AbortController()
  await using stack = new AsyncDisposableStack()

  progress.say('Starting a Temporal server …')
  const onProgress = (line: string) => progress.say(`  ${line}`)
  const server = stack.use(await startDevServer({ env, cacheDir, onProgress, signal }))
  void server.exited.then(({ expected, code, stderr }) => {
    if (!expected) failure.abort(serverEnded(code, stderr))
  })
  const connection = await Connection.connect({ address: server.address })
  stack.defer(() => connection.close())
  const host = createSurveyHost(dataDir)
  const processes = stack.use(createProcessClient({ host, temporal: new Client({ connection }) }))
  progress.say(`Temporal answers at ${server.address}`)

  const owned = stack.move()
  return {
    processes,
    worker: { script: new URL('worker.ts', import.meta.url), arguments: [cacheDir, server.address] },
    failure: failure.signal,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const serverEnded = (code: number | null, stderr: string): ExampleError =>
  new ExampleError(
    'server_ended',
    `The Temporal server ended with exit code ${code}. The next start goes on from here. It said: ${stderr || 'nothing'}`,
  )
