import type pg from 'pg'
import type { ProcessId } from '../../../model/ids.ts'
import { readNotice, sendNotices } from './notice.ts'

/** How long ids are gathered before they are sent: all that a waiter in another OS process loses by it. */
const BATCH_MS = 5
const RECONNECT_MS = 1_000

export interface NotifierOptions {
  readonly channel: string
  readonly connect: () => Promise<pg.Client>
  /** Another OS process has changed these rows; without ids: some, or some notices may have been missed. */
  readonly onNotice: (ids?: readonly ProcessId[]) => void
}

/**
 * The one connection over which this OS process tells others what it has changed, and hears of what they have.
 *
 * A notice is sent after its commit and never in the writing transaction: PostgreSQL lets transactions that notify
 * commit one after another, all writers of the database in one line.
 */
export class Notifier {
  readonly #options: NotifierOptions
  #client: pg.Client | undefined
  #pending = new Set<ProcessId>()
  #batch: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #reconnect: NodeJS.Timeout | undefined
  #connecting: Promise<void> | undefined
  #isClosed = false

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  async open(client: pg.Client): Promise<void> {
    const { channel, onNotice } = this.#options
    client.once('end', () => this.#lost(client))
    // What a crash of the server would take back is a notice: whoever missed it looks for itself.
    await client.query('set synchronous_commit = off')
    const { rows } = await client.query('select pg_backend_pid() as pid')
    client.on('notification', ({ processId, payload }) => {
      // Its own come back too, and were told when they were made.
      if (processId !== rows[0]?.pid) onNotice(readNotice(payload))
    })
    await client.query(`listen ${client.escapeIdentifier(channel)}`)
    this.#client = client
  }

  announce(ids: Iterable<ProcessId>): void {
    if (this.#isClosed) return
    for (const id of ids) this.#pending.add(id)
    this.#sendSoon()
  }

  /** Sends what is left, and disconnects. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#reconnect)
    clearTimeout(this.#batch)
    await this.#connecting
    await this.#sending
    await this.#send()
    await this.#client?.end().catch(() => {})
  }

  /** One notice at a time: of a server that is slow to take them, more go into each. */
  #sendSoon(): void {
    if (this.#sending !== undefined || this.#pending.size === 0) return
    this.#batch ??= setTimeout(() => {
      this.#batch = undefined
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined
        if (!this.#isClosed) this.#sendSoon()
      })
    }, BATCH_MS)
  }

  async #send(): Promise<void> {
    const ids = this.#pending
    this.#pending = new Set()
    // Without a connection they are lost, and everybody's own look finds the changes.
    if (this.#client === undefined) return
    await sendNotices(this.#client, this.#options.channel, ids, { name: 'notify' }).catch(() => {})
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client || this.#isClosed) return
    this.#client = undefined
    this.#connectLater()
  }

  #connectLater(): void {
    this.#reconnect = setTimeout(() => {
      this.#connecting = this.#connectAgain()
    }, RECONNECT_MS).unref()
  }

  async #connectAgain(): Promise<void> {
    let client: pg.Client | undefined
    try {
      client = await this.#options.connect()
      await this.open(client)
      // What was sent meanwhile has been missed.
      this.#options.onNotice()
    } catch {
      await client?.end().catch(() => {})
      if (!this.#isClosed) this.#connectLater()
    }
  }
}
