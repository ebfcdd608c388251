import { LeaseholdError } from '../../../model/errors.ts'
import type { ProcessId } from '../../../model/ids.ts'
import { awaited, immediately } from '../../operation.ts'
import type { Operation } from '../../store.ts'
import type { SqlSession } from '../session.ts'
import type { Statement } from '../statement.ts'
import { type Asked, asked, type BoundCondition, isConditions, toQuery } from './asked.ts'
import { type Answers, COMMIT, type PostgresConnection, type Query, type QueryResult } from './connection.ts'
import type { Doubts } from './doubts.ts'
import { asWrongGuess, isWorthRepeating, stateOf, WrongGuess } from './errors.ts'
import type { RecentRows } from './recent-rows.ts'
import { RowNotes } from './row-notes.ts'
import type { ServerClock } from './server-clock.ts'
import type { PostgresStatements } from './statements.ts'

export interface SessionOptions {
  readonly statements: PostgresStatements
  /** Goes in front of the first query. Absent: the transaction has begun already. */
  readonly begin?: Query
  /**
   * Are these, which the body asks first and together, all that it asks? Then they go with their own commit, and one
   * without a transaction. Whatever comes then is `MoreAsked`.
   */
  readonly isEnough?: (first: readonly Query[]) => boolean
  /** Take it that no guard refuses a write, and wait for none: where one does, the transaction fails with `WrongGuess`. */
  readonly isOptimistic: boolean
  /** Nor wait for what is seldom there, or for rows and a clock that are known: where one is not so, the same. */
  readonly guesses?: Guesses | undefined
}

/** What transactions guess from; each learns for those after it. */
export interface Guesses {
  readonly rows: RecentRows
  readonly clock: ServerClock
  readonly doubts: Doubts
}

/** A body has asked for more than one query gave, and so needs a transaction for all of it. */
export class MoreAsked extends Error {
  readonly first: readonly Query[]

  constructor(first: readonly Query[]) {
    super('the body asks more than once')
    this.first = first
  }
}

/** What became of a transaction at its commit. */
export type Ending =
  | { readonly type: 'committed' }
  /** `error` is absent where nothing is known but that a statement had failed. */
  | { readonly type: 'rolled_back'; readonly error?: unknown }
  | { readonly type: 'unknown'; readonly error: unknown }

/**
 * The verbs' way to one connection and a transaction on it, open only as long as that.
 *
 * What a body asks is gathered until it waits for an answer, and then asked together: its first queries with the begin
 * of the transaction, its last writes with the commit, and both without these words where it waits for none. Where one
 * of them fails, the server does none of those behind it.
 */
export class PostgresSession implements SqlSession {
  readonly withoutWaits = new Set<ProcessId>()
  readonly memory: RowNotes | undefined
  readonly #connection: PostgresConnection
  readonly #options: SessionOptions
  readonly #own = new WeakSet<Promise<unknown>>()
  #gathered: Asked[] = []
  #isBegun = false
  /** What was asked as if it were all. */
  #all: readonly Query[] | undefined
  /** Of what is gathered, an answer is waited for. */
  #isWaiting = false
  #hasWaited = false
  #hasGuessed = false
  /** The transaction's own number, once a write has told it. */
  #writtenBy: number | undefined
  #failure: unknown
  #isOver = false

  constructor(connection: PostgresConnection, options: SessionOptions) {
    this.#connection = connection
    this.#options = options
    this.memory =
      options.guesses &&
      new RowNotes({
        ...options.guesses,
        require: (statement, params, onWrong) => this.#guess('found', statement, params, onWrong),
        isWaiting: () => this.#isWaiting || this.#hasWaited,
      })
  }

  *all<Params, Row>(statement: Statement<Params, Row>, params: Params) {
    const { rows } = yield* awaited(this.#askAndWait(this.#bound(statement, params)))
    return rows as Row[]
  }

  *seldom<Params, Row>(statement: Statement<Params, Row>, params: Params) {
    const { guesses, statements } = this.#options
    const { name } = statements.get(statement)
    // Where something is waited for anyway, its answer comes along.
    if (guesses === undefined || this.#isWaiting || guesses.doubts.isDoubtful(name)) {
      return yield* this.all(statement, params)
    }
    this.#guess('notFound', statement, params, () => guesses.doubts.raise(name))
    return []
  }

  *run<Params, Row>(statement: Statement<Params, Row>, params: Params) {
    const { rowCount } = yield* awaited(this.#askAndWait(this.#bound(statement, params)))
    return rowCount
  }

  *save<Params, Row>(statement: Statement<Params, Row>, params: Params) {
    if (!this.#options.isOptimistic) return (yield* this.run(statement, params)) > 0
    const { required } = this.#options.statements.get(statement)
    this.#ask({ ...this.#bound(statement, params), ...required })
    return true
  }

  send<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<void> {
    this.#ask(this.#bound(statement, params))
    return immediately(() => {})
  }

  /** Is it what one of its queries will come to? */
  isOwn(promise: Promise<unknown>): boolean {
    return this.#own.has(promise)
  }

  /** Has the body gone on from something that may yet turn out to be wrong? */
  get isGuessing(): boolean {
    return this.#hasGuessed && this.#failure === undefined
  }

  /** Has the server been told to begin? */
  get isBegun(): boolean {
    return this.#isBegun
  }

  async commit(): Promise<Ending> {
    const gathered = this.#gathered
    this.#gathered = []
    this.end()
    if (this.#failure !== undefined) return { type: 'rolled_back', error: this.#failure }
    const queries = this.#queriesOf(gathered)
    if (this.#isBegun) return this.#ending(gathered, await this.#connection.ask([...queries, COMMIT]))
    // What comes in one message is one transaction without a word: the server commits at its end, or nothing of it.
    if (queries.length === 0) return { type: 'committed' }
    const answers = await this.#connection.ask(queries)
    const ending = this.#ending(gathered, answers)
    return answers.failure === undefined ? { type: 'committed' } : ending
  }

  #ending(gathered: readonly Asked[], answers: Answers): Ending {
    const { results, failure } = answers
    this.#learn(gathered, answers)
    const committed = results[gathered.length]
    // To a transaction that has failed "commit" means rollback.
    if (committed !== undefined) return { type: committed.command === 'COMMIT' ? 'committed' : 'rolled_back' }
    const error = asWrongGuess(failure?.error)
    const isBefore = failure?.isCertain === true && results.length < gathered.length
    // The server says so itself where it has rolled back. Anything else may have come after the commit.
    const isRolledBack = isBefore || isWorthRepeating(error) || stateOf(error)?.startsWith('23')
    return { type: isRolledBack ? 'rolled_back' : 'unknown', error }
  }

  /** What was written is committed: later transactions may go on from it. */
  keep(): void {
    this.memory?.keep(this.#writtenBy)
  }

  /** Writes the last of it, into a transaction that goes on without it. */
  async finish(): Promise<void> {
    const flushed = this.#flush()
    this.end()
    await flushed
    if (this.#failure !== undefined) throw this.#failure
  }

  /** The connection is somebody else's from now on, whatever a body that kept its verbs may do. */
  end(): void {
    this.#isOver = true
    for (const { reject } of this.#gathered) reject(transactionOver())
    this.#gathered = []
  }

  #askAndWait(query: Query): Promise<QueryResult> {
    this.#isWaiting = true
    this.#hasWaited = true
    return this.#ask(query)
  }

  /** Nobody waits for it: if it is wrong, all that comes behind it is not done either. */
  #guess<Params, Row>(
    guess: 'found' | 'notFound',
    statement: Statement<Params, Row>,
    params: Params,
    onWrong: () => void,
  ): void {
    this.#hasGuessed = true
    const { values } = this.#bound(statement, params)
    const condition = { ...this.#options.statements.get(statement)[guess], values, onWrong }
    const last = this.#gathered.at(-1)?.asks
    // In one statement with those just before it. Behind a lock in one of its own, which sees what it waited for.
    if (isConditions(last) && last[0]?.isLock === condition.isLock) last.push(condition)
    else this.#ask([condition])
  }

  #ask(asks: Query | BoundCondition[]): Promise<QueryResult> {
    if (this.#isOver) throw transactionOver()
    // To a transaction that has failed, the server says nothing but that it has.
    if (this.#failure !== undefined) throw this.#failure
    if (this.#all !== undefined) throw new MoreAsked(this.#all)
    const answer = new Promise<QueryResult>((resolve, reject) => {
      // After all that this turn still asks, or its commit.
      if (this.#gathered.length === 0) process.nextTick(() => void this.#flush())
      this.#gathered.push({ asks, resolve, reject })
    })
    // Where nobody waits for it, one that is waited for fails as well, or the commit does.
    answer.catch(() => {})
    this.#own.add(answer)
    return answer
  }

  async #flush(): Promise<void> {
    const gathered = this.#take()
    if (gathered.length === 0) return
    const answers = await this.#connection.ask(this.#queriesOf(gathered))
    if (this.#all !== undefined && answers.failure === undefined) this.#isBegun = false
    this.#settle(gathered, answers)
  }

  #take(): readonly Asked[] {
    const gathered = this.#gathered
    this.#gathered = []
    this.#isWaiting = false
    const { begin, isEnough } = this.#options
    if (gathered.length === 0 || this.#isBegun || begin === undefined) return gathered
    if (isEnough !== undefined) {
      const queries = this.#queriesOf(gathered)
      if (isEnough(queries)) this.#all = queries
    }
    if (this.#all !== undefined && gathered.length === 1) return gathered
    this.#isBegun = true
    return [asked(begin), ...gathered, ...(this.#all === undefined ? [] : [asked(COMMIT)])]
  }

  #settle(gathered: readonly Asked[], answers: Answers): void {
    const { results, failure } = answers
    this.#learn(gathered, answers)
    if (failure !== undefined) this.#failure ??= asWrongGuess(failure.error)
    for (const [index, { resolve, reject }] of gathered.entries()) {
      const result = results[index]
      if (result === undefined) reject(this.#failure)
      else resolve(result)
    }
  }

  #learn(gathered: readonly Asked[], { results, failure }: Answers): void {
    for (const { rows } of results) this.#writtenBy ??= writerIn(rows[0])
    if (!(asWrongGuess(failure?.error) instanceof WrongGuess)) return
    // One of them is: which one, the server does not say.
    const refused = gathered[results.length]?.asks
    if (isConditions(refused)) for (const { onWrong } of refused) onWrong()
  }

  #queriesOf(gathered: readonly Asked[]): Query[] {
    return gathered.map(({ asks }) => toQuery(asks, this.#options.statements))
  }

  /** At once, in the body's own turn: a value that cannot be bound ends the body, and is never left out unseen. */
  #bound<Params, Row>(statement: Statement<Params, Row>, params: Params): Query {
    const { name, text, bind } = this.#options.statements.get(statement)
    return { name, text, values: bind(params as object) }
  }
}

/** What `required` writes tell. */
function writerIn(row: unknown): number | undefined {
  if (typeof row !== 'object' || row === null || !('written_by' in row)) return undefined
  return typeof row.written_by === 'number' ? row.written_by : undefined
}

const transactionOver = (): LeaseholdError =>
  new LeaseholdError('registry_unavailable', 'The transaction is over: it has ended.')
