import { MAX_PAGE, requirePageLimit } from '../../model/list.ts'
import type { BlobOperations } from '../registry.ts'
import type { ProcessStore } from '../store.ts'

const NOTHING = { count: 0, bytes: 0 }

export function createBlobOperations(store: ProcessStore): BlobOperations {
  return {
    collectBlobs: async ({ after = '', limit = MAX_PAGE } = {}) => {
      requirePageLimit(limit)
      const blobs = await store.read(reader => reader.listBlobs(after, limit))
      const unused = blobs.filter(({ isReferenced }) => !isReferenced).map(({ hash }) => hash)
      // Next to all pages have none: a look is no write. What is referred to since then stays.
      const collected = unused.length === 0 ? NOTHING : await store.transaction(tx => tx.deleteBlobs(unused))
      const last = blobs.length < limit ? undefined : blobs.at(-1)
      return { examined: blobs.length, collected, ...(last === undefined ? {} : { next: last.hash }) }
    },
  }
}
