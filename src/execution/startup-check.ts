import { messageOf } from '../model/errors.ts'
import { requireDurableFacets } from '../runtime/durability.ts'
import { requireHost } from '../runtime/host.ts'
import { isNetworkTrouble } from '../runtime/network-trouble.ts'
import { tryParts } from '../runtime/runtime.ts'
import type { ExecutionEnvironment } from './environment.ts'

/**
 * What a worker refuses to start with: a host module that something is wrong with (all of it is named), a store that
 * would forget what a durable worker must keep, a plugin that cannot be made. One that only cannot reach its server now is
 * a warning: it is made anew for each process.
 */
export async function requireUsable({
  host,
  executionHost,
  facets,
  logger,
}: Pick<ExecutionEnvironment, 'host' | 'executionHost' | 'facets' | 'logger'>): Promise<void> {
  requireHost(host)
  requireDurableFacets(executionHost, facets)
  try {
    await tryParts(host)
  } catch (error) {
    if (!isNetworkTrouble(error)) throw error
    logger.warn('a plugin could not reach what it needs; it is tried anew for each process', {
      error: messageOf(error),
    })
  }
}
