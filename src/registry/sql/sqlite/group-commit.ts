import { pauseMs } from './busy.ts'
import type { SqliteConnection } from './connection.ts'
import { isBusy } from './errors.ts'

/**
 * Bounds how long one commit keeps the event loop (members run one after the other, tens of microseconds each) and the
 * write lock from other OS processes.
 */
const MAX_MEMBERS = 200

interface Member {
  /** Runs the body and returns how to tell its caller what came of it. Throws what the body throws. */
  run(): () => void
  reject(error: unknown): void
  /** On the monotonic clock: when waiting for the lock ends. */
  readonly deadline: number
  readonly isolation: Isolation
}

/**
 * `none`: as most members fail rarely, they run one after the other, and one that throws takes all back. Then each has
 * a `savepoint`, so that only its own work is taken back; and if even that is lost with everybody's, a commit `alone`.
 */
type Isolation = 'none' | 'savepoint' | 'alone'

export interface GroupCommitOptions {
  readonly lockTimeoutMs: number
  readonly onCommit: () => void
  readonly onBegin?: () => void
  /** A member's part of the transaction was rolled back: what was remembered of the writes before may be gone. */
  readonly onForget?: () => void
}

/**
 * Lets transactions that are ready together share one commit, which is what a durable write costs.
 *
 *   submit ──▶ ready ── setImmediate ──▶ begin immediate ── busy ──▶ a pause, then again, until the deadline
 *                ▲                             │
 *                │              each member; again, each in a savepoint
 *                │                             │
 *                └── lost: each alone ◀──── commit ──▶ settle all
 *
 * Nobody is told anything before COMMIT has returned, not even a member that threw: it may have thrown because of what
 * another one wrote, and that is true only when it is committed.
 */
export class GroupCommit {
  readonly #connection: SqliteConnection
  readonly #options: GroupCommitOptions
  #ready: Member[] = []
  #isScheduled = false
  #busyTries = 0
  #onIdle: (() => void)[] = []

  constructor(connection: SqliteConnection, options: GroupCommitOptions) {
    this.#connection = connection
    this.#options = options
  }

  /** The body may run more than once: only the run that is committed counts. */
  submit<T>(body: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + this.#options.lockTimeoutMs
      const run = (): (() => void) => {
        const value = body()
        return () => resolve(value)
      }
      this.#ready.push({ run, reject, deadline, isolation: 'none' })
      this.#schedule()
    })
  }

  /** Resolves when nothing is waiting to be committed. */
  idle(): Promise<void> {
    return this.#isScheduled ? new Promise(resolve => this.#onIdle.push(resolve)) : Promise.resolve()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#work())
  }

  #work(): void {
    const pause = this.#commitNext()
    if (this.#ready.length > 0) {
      if (pause === undefined) setImmediate(() => this.#work())
      else setTimeout(() => this.#work(), pause)
      return
    }
    this.#isScheduled = false
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  /** Commits the next members, or says after how many milliseconds to try again. */
  #commitNext(): number | undefined {
    try {
      this.#connection.frame('begin immediate')
    } catch (error) {
      if (isBusy(error)) return this.#waitForLock(error)
      for (const member of this.#ready.splice(0)) member.reject(error)
      return undefined
    }
    this.#busyTries = 0
    this.#options.onBegin?.()
    const [first, ...others] = this.#takeNext()
    if (first === undefined) this.#connection.exec('rollback')
    else if (others.length === 0) this.#commitAlone(first)
    else this.#commitTogether([first, ...others], first.isolation === 'savepoint')
    return undefined
  }

  #waitForLock(error: unknown): number {
    const now = performance.now()
    const waiting = this.#ready
    this.#ready = waiting.filter(({ deadline }) => deadline > now)
    for (const member of waiting) if (member.deadline <= now) member.reject(error)
    return pauseMs(this.#busyTries++)
  }

  #takeNext(): Member[] {
    const isolation = this.#ready[0]?.isolation
    if (isolation === 'alone') return this.#ready.splice(0, 1)
    const other = this.#ready.findIndex(member => member.isolation !== isolation)
    return this.#ready.splice(0, Math.min(MAX_MEMBERS, other === -1 ? MAX_MEMBERS : other))
  }

  #commitAlone(member: Member): void {
    let settle: () => void
    try {
      settle = member.run()
      this.#connection.frame('commit')
    } catch (error) {
      // A failed COMMIT can leave the transaction open, and the next BEGIN would fail for ever.
      this.#connection.rollBackIfOpen()
      member.reject(error)
      return
    }
    settle()
    this.#options.onCommit()
  }

  #commitTogether(members: readonly Member[], isGuarded: boolean): void {
    const settlements: (() => void)[] = []
    try {
      for (const member of members) {
        settlements.push(isGuarded ? this.#runInSavepoint(member) : this.#runUnguarded(member))
      }
      this.#connection.frame('commit')
    } catch {
      // Everybody's work is gone, whoever's fault it was. Each is run again, and gets an error only for its own.
      this.#connection.rollBackIfOpen()
      const isolation = isGuarded ? 'alone' : 'savepoint'
      this.#ready.unshift(...members.map(member => ({ ...member, isolation }) as const))
      return
    }
    for (const settle of settlements) settle()
    this.#options.onCommit()
  }

  /** Throws what the member throws, or if it has swallowed an error that took the transaction away. */
  #runUnguarded(member: Member): () => void {
    const settle = member.run()
    if (!this.#connection.isTransaction) throw new Error('The transaction was rolled back.')
    return settle
  }

  /** Throws only when the whole transaction is lost. */
  #runInSavepoint(member: Member): () => void {
    const connection = this.#connection
    connection.frame('savepoint member')
    let settle: () => void
    try {
      settle = member.run()
    } catch (error) {
      // After a full disk or an I/O error SQLite has rolled back everything, savepoint and neighbours included.
      if (!connection.isTransaction) throw error
      connection.exec('rollback to member')
      this.#options.onForget?.()
      settle = () => member.reject(error)
    }
    // Throws if the body has swallowed such an error: there is no savepoint any more.
    connection.frame('release member')
    return settle
  }
}
