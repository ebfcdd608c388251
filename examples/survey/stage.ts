import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { startDevServer } from '../../src/dev-server/index.ts'
import { createProcessClient, type ProcessRegistry } from '../../src/index.ts'
import { ExampleError } from './example-error.ts'
import { createSurveyHost } from './host.ts'
import type { Progress } from './progress.ts'
import { startWorkerProcess, type WorkerProcess, workerEnded } from './worker-process.ts'

export interface StageOptions {
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cacheDir: string
  readonly progress: Progress
  /** Fires when the user wants to stop. */
  readonly signal: AbortSignal
}

/** All that a run needs around the survey. Disposing of it takes everything down, the last started first. */
export interface Stage extends AsyncDisposable {
  readonly address: string
  readonly processes: ReturnType<typeof createSurveyClient>
  readonly registry: ProcessRegistry
  /** Fires when the user wants to stop, or when the server or a worker has ended without being told to. */
  readonly signal: AbortSignal
  startWorker(): Promise<WorkerProcess>
  /** A crash that is meant. */
  kill(worker: WorkerProcess): Promise<void>
}

/** Starts the Temporal server and connects to it; workers are started by whoever wants them. */
export async function createStage(registry: ProcessRegistry, options: StageOptions): Promise<Stage> {
  const { dataDir, env, cacheDir, progress } = options
  const failure = new AbortController()
  const signal = AbortSignal.any([options.signal, failure.signal])
  await using stack = new AsyncDisposableStack()

  const say = (line: string) => progress.say(`  ${line}`)
  const server = stack.use(await startDevServer({ env, cacheDir, onProgress: say, signal }))
  void server.exited.then(({ expected, code, stderr }) => {
    if (!expected) failure.abort(serverEnded(code, stderr))
  })
  const connection = await Connection.connect({ address: server.address })
  stack.defer(() => connection.close())
  const processes = stack.use(createSurveyClient(dataDir, new Client({ connection })))

  const isMeantToEnd = new WeakSet<WorkerProcess>()
  async function startWorker(): Promise<WorkerProcess> {
    const where = { address: server.address, dataDir, cacheDir }
    const worker = await startWorkerProcess({ ...where, onWarning: say }, signal)
    owned.defer(() => {
      isMeantToEnd.add(worker)
      return worker.stop()
    })
    void worker.exited.then(() => {
      if (!isMeantToEnd.has(worker)) failure.abort(workerEnded(join(dataDir, 'worker.log')))
    })
    return worker
  }

  const owned = stack.move()
  return {
    address: server.address,
    processes,
    registry,
    signal,
    startWorker,
    kill(worker) {
      isMeantToEnd.add(worker)
      return worker.kill()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const createSurveyClient = (dataDir: string, temporal: Client) =>
  createProcessClient({ host: createSurveyHost(dataDir), temporal })

const serverEnded = (code: number | null, stderr: string): ExampleError =>
  new ExampleError(
    'server_ended',
    `The Temporal server ended with exit code ${code}. The next start goes on from here. It said: ${stderr || 'nothing'}`,
  )
