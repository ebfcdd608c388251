import { setImmediate } from 'node:timers/promises'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import type { BlobOperations } from '../registry/registry.ts'
import type { DeletedBlobs } from '../registry/store.ts'
import { DutyTimer } from './duty-timer.ts'
import type { PagingOptions } from './prune.ts'

/** Nothing waits for it but space. */
const EVERY_MS = 3_600_000

/**
 * One round through the blob store, page by page: removes what nothing refers to any more, and returns how much that
 * was. What is written meanwhile stays. Repeating it is harmless. `pageSize`: blobs looked at together; default 1,000.
 */
export async function collectBlobs(
  registry: BlobOperations,
  // A look into SQLite waits for nothing: between two of them others have their turn.
  { pageSize = 1_000, mayGoOn = () => setImmediate(true) }: PagingOptions = {},
): Promise<DeletedBlobs> {
  let [count, bytes] = [0, 0]
  let after: string | undefined
  do {
    const page = await registry.collectBlobs({ limit: pageSize, ...(after === undefined ? {} : { after }) })
    count += page.collected.count
    bytes += page.collected.bytes
    after = page.next
  } while (after !== undefined && (await mayGoOn()))
  return { count, bytes }
}

/** Collects when the worker starts, and then every hour. Of all the workers of a registry one at a time does it. */
export const createBlobCollector = (environment: ExecutionEnvironment): DutyTimer =>
  new DutyTimer(environment, {
    name: 'blobs',
    everyMs: EVERY_MS,
    async pass(paging) {
      const collected = await collectBlobs(environment.registry, paging)
      if (collected.count > 0) environment.logger.info('collected blobs', { ...collected })
    },
  })
