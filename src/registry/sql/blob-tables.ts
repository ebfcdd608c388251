import type { ProcessId } from '../../model/ids.ts'

/** Where a JSON column of another table holds a reference, the text stands here (`model/blob.ts`). */
export interface BlobRow {
  readonly hash: string
  /** Bytes of the text in UTF-8. */
  readonly size: number
  readonly text: string
}

/** Of the process's row, its events, wakes and pending calls, which last as long as the process. */
export interface ProcessBlobRow {
  readonly process_id: ProcessId
  readonly hash: string
}

/** Of a journal entry, which goes when its process hands on to another epoch. */
export interface JournalBlobRow {
  readonly process_id: ProcessId
  readonly epoch: number
  readonly address: string
  readonly hash: string
}

export interface SessionBlobRow {
  readonly session_id: string
  readonly hash: string
}
