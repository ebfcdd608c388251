import type { ProcessId } from '../../../model/ids.ts'
import type { LeaseRow, ProcessRow } from '../process-tables.ts'

/** A row as a transaction of this OS process left it. PostgreSQL names the transaction beside it, as `xmin`. */
export interface Version<Row> {
  readonly row: Row
  readonly writtenBy: number
}

export interface RecentProcess {
  readonly process: Version<ProcessRow>
  /** `none`: it had no lease. Absent: not known. */
  readonly lease?: Version<LeaseRow> | 'none'
}

const MOST = 1_000
/** Of what users give and what is kept beside it. */
const LARGEST = 8_192

/**
 * The running processes that this OS process wrote last, as it left them. Others may have written them since, so they
 * are only ever taken for what they are once a statement has found that nobody has (`RowNotes`).
 */
export class RecentRows {
  readonly #rows = new Map<ProcessId, RecentProcess>()
  /** Written by others as well. What is known of them would mostly be old. */
  readonly #shared = new Set<ProcessId>()

  /** For one transaction, until it keeps it again: of two at once about one row, the second would find it changed. */
  take(id: ProcessId): RecentProcess | undefined {
    const recent = this.#rows.get(id)
    this.#rows.delete(id)
    return recent
  }

  keep(recent: RecentProcess): void {
    const { id, status, wait_count, input, event_types } = recent.process.row
    this.#rows.delete(id)
    // An ended row is not gone on with. What a waiting one waits for is in other rows, which others write.
    if (status !== 'running' || wait_count > 0 || this.#shared.has(id)) return
    if (input.length + event_types.length > LARGEST) return
    this.#rows.set(id, recent)
    dropOldest(this.#rows)
  }

  forget(id: ProcessId): void {
    this.#rows.delete(id)
  }

  clear(): void {
    this.#rows.clear()
  }

  /** Somebody else has written it since. */
  wasWrong(id: ProcessId): void {
    this.forget(id)
    this.#shared.add(id)
    dropOldest(this.#shared)
  }
}

function dropOldest(kept: Map<ProcessId, unknown> | Set<ProcessId>): void {
  if (kept.size <= MOST) return
  for (const oldest of kept.keys()) {
    kept.delete(oldest)
    return
  }
}
