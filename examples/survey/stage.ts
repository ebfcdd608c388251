import { join } from 'node:path'
import type { ProcessRegistry } from '../../src/index.ts'
import { startWorkerProcess, type WorkerProcess, workerEnded } from '../support/worker-process.ts'
import type { Backend, BackendOptions } from './backend.ts'

export interface StageOptions extends BackendOptions {
  readonly isInline: boolean
}

/** All that a run needs around the survey. Disposing of it takes everything down, the last started first. */
export interface Stage extends AsyncDisposable {
  readonly processes: Backend['processes']
  readonly registry: ProcessRegistry
  /** Fires when the user wants to stop, or when the server or a worker has ended without being told to. */
  readonly signal: AbortSignal
  startWorker(): Promise<WorkerProcess>
  /** A crash that is meant. */
  kill(worker: WorkerProcess): Promise<void>
}

/** Makes ready what runs the survey; workers are started by whoever wants them. */
export async function createStage(registry: ProcessRegistry, options: StageOptions): Promise<Stage> {
  const { dataDir, progress } = options
  const failure = new AbortController()
  await using stack = new AsyncDisposableStack()
  const backend = stack.use(await createBackend(options))
  const signal = AbortSignal.any([options.signal, backend.failure, failure.signal])

  const isMeantToEnd = new WeakSet<WorkerProcess>()
  async function startWorker(): Promise<WorkerProcess> {
    const onWarning = (line: string) => progress.say(`  ${line}`)
    const worker = await startWorkerProcess({ ...backend.worker, dataDir, onWarning }, signal)
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
    processes: backend.processes,
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

/** Each is loaded only where it is wanted: inline, nothing of Temporal's is. */
async function createBackend({ isInline, ...options }: StageOptions): Promise<Backend> {
  if (isInline) return (await import('./inline-backend.ts')).createInlineBackend(options)
  return (await import('./temporal-backend.ts')).createTemporalBackend(options)
}
