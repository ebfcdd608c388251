import type { NativeConnection } from '@temporalio/worker'
import { tellBench } from './worker-messages.ts'

/** What the entry of a worker's OS process runs. */
export interface RunningWorker {
  run(): Promise<void>
  stop(): void
}

/** The SDK that the worker runs on: a reference may bring its own. */
export type WorkerSdk = Pick<
  typeof import('@temporalio/worker'),
  'DefaultLogger' | 'NativeConnection' | 'Runtime' | 'Worker'
>

/** Connects, runs, and drains on SIGTERM; ends with the bench, even if that is killed. */
export async function runWorker(
  { DefaultLogger, NativeConnection, Runtime }: WorkerSdk,
  address: string,
  create: (connection: NativeConnection) => Promise<RunningWorker>,
): Promise<void> {
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') })
  const connection = await NativeConnection.connect({ address })
  const worker = await create(connection)
  let isStopping = false
  const stopOnce = () => {
    if (!isStopping) worker.stop()
    isStopping = true
  }
  process.on('SIGTERM', stopOnce)
  process.on('disconnect', stopOnce)
  const running = worker.run()
  tellBench({ type: 'ready' })
  await running
  await connection.close()
  process.exit(0) // the IPC channel would keep it alive
}
