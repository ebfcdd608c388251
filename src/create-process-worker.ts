import type { Host } from './runtime/host.ts'
import type { ProcessWorker, ProcessWorkerOptions } from './worker.ts'

/**
 * Puts a worker together: one host, one registry, one task queue. Temporal's packages are loaded by the first call, so
 * that a program which runs everything inline needs none of them.
 */
export async function createProcessWorker<H extends Host>(
  host: H,
  options: ProcessWorkerOptions,
): Promise<ProcessWorker> {
  const worker = await import('./worker.ts')
  return worker.createProcessWorker(host, options)
}
