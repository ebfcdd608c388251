import type { ProcessLease } from '../../model/lease.ts'
import type { StreamEntry, StreamHead, StreamLeftovers, StreamRow } from '../../model/stream.ts'

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
  /**
   * What the attempts of the epoch have left in each channel, in byte order of their names: what a next attempt goes on
   * from. Reads nothing of earlier epochs, and of what steps have said only where it stands.
   */
  streamLeftovers(
    id: string,
    epoch: { readonly epoch: number; readonly isSettled: (step: string) => boolean },
  ): Promise<StreamLeftovers[]>
}

export interface StreamPage {
  readonly entries: readonly StreamEntry[]
  /** More stands behind these entries already. */
  readonly hasMore: boolean
  /** The process has ended, and nothing comes after these entries. */
  readonly isEnd: boolean
}
