import { startWorkerProcess, type WorkerProcess } from './worker-process.ts'

/** Serves the host of the module from a process of its own, which shares the registry with this one: no server is needed. */
export const startAgentWorker = (module: URL, dataDir: string): Promise<WorkerProcess> =>
  startWorkerProcess(
    {
      script: new URL('agent-worker.ts', import.meta.url),
      arguments: [module.href],
      dataDir,
      onWarning: line => console.log(`  ${line}`),
    },
    new AbortController().signal,
  )
