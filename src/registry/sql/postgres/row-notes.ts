import { sql } from 'kysely'
import type { ProcessId } from '../../../model/ids.ts'
import type { LeaseRow, MutableColumns, ProcessRow } from '../process-tables.ts'
import type { SessionMemory } from '../session.ts'
import { type Named, prepare, type Statement } from '../statement.ts'
import { clockMs } from './clock.ts'
import type { RecentProcess, RecentRows, Version } from './recent-rows.ts'
import { MOST_BEHIND_MS, type ServerClock } from './server-clock.ts'

interface VersionBindings {
  readonly id: ProcessId
  readonly written_by: number
}

const isWrittenBy = (p: Named<VersionBindings>) => sql<boolean>`xmin = ${p.written_by}::text::xid8::xid`

/** Locks the row, as reading it would, if nobody has written it since: whoever had to wait for the lock looks again. */
const lockProcess = prepare((db, p: Named<VersionBindings>, { forUpdate }) =>
  forUpdate(db.selectFrom('processes').select('id').where('id', '=', p.id).where(isWrittenBy(p))),
)

const lockLease = prepare((db, p: Named<VersionBindings>, { forUpdate }) =>
  forUpdate(
    db.selectFrom('leases').select('process_id').where('process_id', '=', p.id).where(isWrittenBy(p)),
  ),
)

/** One row while the guess is true: never ahead of the clock. It is read behind the locks that were asked for before. */
const checkGuess = prepare((db, p: Named<{ guess: number; latest: number }>) =>
  db
    .selectFrom(db.selectNoFrom(clockMs.as('now')).as('clock'))
    .select('now')
    .where('now', '>=', p.guess)
    .where('now', '<=', p.latest),
)

/** What a transaction knows without asking, and how it finds out whether it is so. */
export interface RowNotesOptions {
  readonly rows: RecentRows
  readonly clock: ServerClock
  /** Asks for a row that must be there, and does not wait for the answer: where it is missing, the transaction fails. */
  require<Params, Row>(statement: Statement<Params, Row>, params: Params, onMissing: () => void): void
  /** Has the transaction asked for something that it waits for? Then it can be told the time as well. */
  isWaiting(): boolean
}

/**
 * What one transaction knows of the rows of processes: from earlier ones, from what it reads, and from what it writes,
 * which is kept for later ones if it is committed.
 */
export class RowNotes implements SessionMemory {
  readonly #options: RowNotesOptions
  readonly #taken = new Map<ProcessId, RecentProcess>()
  readonly #rows = new Map<ProcessId, ProcessRow>()
  readonly #leases = new Map<ProcessId, LeaseRow>()
  readonly #written = new Set<ProcessId>()
  /** Those of them at a new change position, which is the transaction's number. */
  readonly #moved = new Set<ProcessId>()
  readonly #inserted = new Set<ProcessId>()
  readonly #forgotten = new Set<ProcessId>()

  constructor(options: RowNotesOptions) {
    this.#options = options
  }

  get #recent(): RecentRows {
    return this.#options.rows
  }

  now(): number | undefined {
    const { clock, require, isWaiting } = this.#options
    const guess = isWaiting() ? undefined : clock.guess()
    if (guess !== undefined)
      require(checkGuess, { guess, latest: guess + MOST_BEHIND_MS }, () => clock.wasWrong())
    return guess
  }

  heard(nowMs: number): void {
    this.#options.clock.heard(nowMs)
  }

  process(id: ProcessId): ProcessRow | undefined {
    const process = this.#before(id)?.process
    if (process === undefined) return undefined
    this.#options.require(lockProcess, { id, written_by: process.writtenBy }, () => this.#recent.wasWrong(id))
    this.#rows.set(id, process.row)
    return process.row
  }

  lease(id: ProcessId): LeaseRow | 'none' | undefined {
    const lease = this.#before(id)?.lease
    if (lease === undefined || lease === 'none') return lease
    this.#options.require(lockLease, { id, written_by: lease.writtenBy }, () => this.#recent.wasWrong(id))
    return lease.row
  }

  loaded(row: ProcessRow): void {
    this.#rows.set(row.id, row)
  }

  inserted(row: ProcessRow): void {
    this.#rows.set(row.id, row)
    this.#written.add(row.id)
    this.#moved.add(row.id)
    this.#inserted.add(row.id)
  }

  updated(id: ProcessId, columns: Partial<MutableColumns>): void {
    this.#written.add(id)
    if (columns.change_seq !== undefined) this.#moved.add(id)
    const row = this.#rows.get(id)
    if (row !== undefined) this.#rows.set(id, { ...row, ...columns })
  }

  leased(row: LeaseRow): void {
    this.#leases.set(row.process_id, row)
  }

  forget(id: ProcessId): void {
    this.#forgotten.add(id)
  }

  /** It is committed. `writtenBy`: its number, where it has been told. */
  keep(writtenBy: number | undefined): void {
    for (const id of this.#touched()) {
      const process = this.#processAfter(id, writtenBy)
      if (process !== undefined && !this.#forgotten.has(id)) {
        this.#recent.keep({ process, ...this.#leaseAfter(id, writtenBy) })
      } else this.#recent.forget(id)
    }
  }

  #touched(): ReadonlySet<ProcessId> {
    return new Set([...this.#taken.keys(), ...this.#written, ...this.#leases.keys(), ...this.#forgotten])
  }

  /** What an earlier transaction has left, if this one has not written it. */
  #before(id: ProcessId): RecentProcess | undefined {
    if (this.#written.has(id) || this.#leases.has(id) || this.#forgotten.has(id)) return undefined
    const recent = this.#taken.get(id) ?? this.#recent.take(id)
    if (recent !== undefined) this.#taken.set(id, recent)
    return recent
  }

  #processAfter(id: ProcessId, writtenBy: number | undefined): Version<ProcessRow> | undefined {
    if (!this.#written.has(id)) return this.#taken.get(id)?.process
    const row = this.#rows.get(id)
    if (row === undefined || writtenBy === undefined) return undefined
    return { row: this.#moved.has(id) ? { ...row, change_seq: writtenBy } : row, writtenBy }
  }

  #leaseAfter(id: ProcessId, writtenBy: number | undefined) {
    const row = this.#leases.get(id)
    if (row !== undefined) return writtenBy === undefined ? {} : { lease: { row, writtenBy } }
    if (this.#inserted.has(id)) return { lease: 'none' } as const
    const lease = this.#taken.get(id)?.lease
    return lease === undefined ? {} : { lease }
  }
}
