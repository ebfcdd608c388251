import pg from 'pg'
import type { Answers, PostgresConnection, Query, QueryResult } from './connection.ts'
import { asStoreError } from './errors.ts'
import { Message } from './message.ts'
import { NO_COLUMNS, RowShape } from './row-shape.ts'

/**
 * A connection that takes several queries in one message and answers them in one. Most of what a small query costs is
 * the way there and back, and on both sides the system calls for a message of its own.
 */
export class BatchConnection implements PostgresConnection {
  readonly #client: pg.Client
  readonly #statements = new PreparedStatements()

  constructor(client: pg.Client) {
    this.#client = client
  }

  ask(queries: readonly Query[]): Promise<Answers> {
    return new Promise(resolve => {
      this.#client.query(new Batch(queries, this.#statements, resolve))
    })
  }
}

/** A statement that the connection has prepared; its rows' shape is known from its first answer on. */
interface Prepared {
  shape: RowShape
}

/** What is prepared on one connection. */
class PreparedStatements {
  readonly #known = new Map<string, Prepared>()
  /** From batches that failed: the server has them, or not. */
  readonly #doubtful = new Set<string>()

  find(name: string): Prepared | undefined {
    return this.#known.get(name)
  }

  add(name: string): Prepared {
    const prepared = { shape: NO_COLUMNS }
    this.#known.set(name, prepared)
    return prepared
  }

  /** Is the name to be freed before it is used? Says so once. */
  takeDoubt(name: string): boolean {
    return this.#doubtful.delete(name)
  }

  doubt(name: string): void {
    this.#known.delete(name)
    this.#doubtful.add(name)
  }
}

interface Asked {
  readonly name: string
  readonly prepared: Prepared
  readonly isNew: boolean
}

/**
 * What `pg` calls a query, so that it takes its turn among others, but of several statements before one `Sync`: after an
 * error the server skips whatever follows up to there. Of a statement that the connection knows only the values travel.
 */
class Batch extends pg.Query {
  readonly #queries: readonly Query[]
  readonly #statements: PreparedStatements
  readonly #asked: Asked[] = []
  readonly #results: QueryResult[] = []
  #rows: unknown[] = []
  /** By this name `pg` calls it when the answer is late, and puts its own in front, which stops the clock. */
  callback: (error: Error | null) => void

  constructor(queries: readonly Query[], statements: PreparedStatements, settle: (answers: Answers) => void) {
    // As a text: of an object `pg` makes a copy, member by member.
    super('')
    this.#queries = queries
    this.#statements = statements
    this.callback = error => settle(error === null ? { results: this.#results } : this.#failed(error))
  }

  override readonly submit = (connection: pg.Connection): void => {
    connection.stream.cork()
    try {
      for (const query of this.#queries) this.#asked.push(send(connection, query, this.#statements))
      message.sync()
      write(connection)
    } finally {
      message.clear()
      connection.stream.uncork()
    }
  }

  handleRowDescription({ fields }: { readonly fields: readonly pg.FieldDef[] }): void {
    const asked = this.#asked[this.#results.length]
    if (asked === undefined) return
    asked.prepared.shape = new RowShape(fields)
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const shape = this.#asked[this.#results.length]?.prepared.shape ?? NO_COLUMNS
    this.#rows.push(shape.read(fields))
  }

  /** `text` says what was done and to how many rows: `INSERT 0 1`, `SELECT 5`, `COMMIT`. */
  handleCommandComplete({ text }: { readonly text: string }): void {
    const words = text.split(' ')
    const count = Number(words.at(-1))
    const rowCount = Number.isNaN(count) ? 0 : count
    this.#results.push({ rows: this.#rows, rowCount, command: words[0] ?? '' })
    this.#rows = []
  }

  handleError(error: Error): void {
    this.callback(error)
  }

  handleReadyForQuery(): void {
    this.callback(null)
  }

  #failed(error: Error): Answers {
    const done = this.#results.length
    for (const { name, isNew } of this.#asked.slice(done)) if (isNew) this.#statements.doubt(name)
    const isCertain = error instanceof pg.DatabaseError || this.#asked.length === 0
    return { results: this.#results, failure: { error: asStoreError(error), isCertain } }
  }
}

/** Of all connections: what is put into it is written in the same turn. */
const message = new Message()

function write({ stream }: pg.Connection): void {
  const bytes = message.take()
  if (bytes !== undefined && stream.writable) stream.write(bytes)
}

function send(
  connection: pg.Connection,
  { text, name, values }: Query,
  statements: PreparedStatements,
): Asked {
  const known = statements.find(name)
  if (known === undefined) {
    write(connection)
    if (statements.takeDoubt(name)) connection.close({ type: 'S', name }, true)
    connection.parse({ text, name, types: [] }, true)
  }
  message.bind(name, values)
  if (known === undefined) {
    write(connection)
    connection.describe({ type: 'P', name: '' }, true)
  }
  message.execute()
  return { name, prepared: known ?? statements.add(name), isNew: known === undefined }
}
