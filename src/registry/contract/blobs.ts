import type { PageRequest } from '../../model/list.ts'
import type { DeletedBlobs } from '../store.ts'

/** Large payloads are kept once for all that hold the same, and as long as a process refers to them (`model/blob.ts`). */
export interface BlobOperations {
  /**
   * Looks at one page of blobs, in order of their hashes, and removes those that no process refers to. With `next` as
   * `after` the same round goes on. `limit`: at most, and by default, 1,000.
   */
  collectBlobs(page?: Pick<PageRequest, 'after' | 'limit'>): Promise<BlobCollection>
}

export interface BlobCollection {
  readonly examined: number
  readonly collected: DeletedBlobs
  /** The last hash of this page; absent on the last one. */
  readonly next?: string
}
