import type { ProcessLease } from '../../model/lease.ts'
import type { StreamEntry, StreamHead, StreamRow } from '../../model/stream.ts'

/** What a process says while it works, beside its log. See `model/stream.ts`. */
export interface StreamOperations {
  /**
   * Writes the rows under the lease, each right after what stands in its channel, all in one transaction. The same again
   * changes nothing. Throws `process_lease_lost`.
   */
  appendToStreams(lease: ProcessLease, rows: readonly StreamRow[]): Promise<void>
  /** The channels in byte order of their names. */
  streamHeads(id: string): Promise<StreamHead[]>
  /** Entries with an offset of `from` or above, as many rows of them as fit a page. */
  readStream(id: string, channel: string, from: number): Promise<StreamPage>
  /** The rows of a channel, as they were written. */
  streamRows(id: string, channel: string): Promise<StreamRow[]>
}

export interface StreamPage {
  readonly entries: readonly StreamEntry[]
  /** The process has ended, and nothing comes after these entries. */
  readonly isEnd: boolean
}
