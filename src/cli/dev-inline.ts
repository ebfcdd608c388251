import { createInlineWorker } from '../inline-worker.ts'
import { LeaseholdError } from '../model/errors.ts'
import type { CliContext } from './context.ts'
import type { Interrupts } from './interrupts.ts'
import { loadHost } from './load-host.ts'
import { createLog } from './log.ts'
import { alignRows } from './process-lines.ts'

/** A worker without a server, until Ctrl-C. What belongs to a server is refused, so that nobody waits for it. */
export async function devInline(
  { env, output }: CliContext,
  hostFile: string | undefined,
  interrupts: Interrupts,
): Promise<void> {
  if (hostFile === undefined) {
    throw new LeaseholdError(
      'usage',
      'Without a server there is only a worker to run, and it needs a host module: give --host FILE, or set LEASEHOLD_HOST.',
    )
  }
  const host = await loadHost(hostFile)
  interrupts.signal.throwIfAborted()
  await using worker = createInlineWorker(host, { logger: createLog(output.isJson, env) })
  const { registryId } = await worker.ready
  interrupts.signal.throwIfAborted()
  const registry = host.registry.description
  output.document({ ready: { inline: true, worker: worker.id, registry, registryId } }, () => [
    'Ready, without a server. Ctrl-C stops it.',
    ...alignRows([
      ['registry', registry],
      ['worker', worker.id],
      ['kinds', Object.keys(host.engines ?? {}).join(', ') || 'none'],
      ['start one', `leasehold start KIND --inline --host ${hostFile}`],
    ]),
  ])
  const stopped = await Promise.race([interrupts.first, worker.run()])
  if (stopped !== undefined) output.note('Stopping the worker. Ctrl-C again stops at once.')
}
