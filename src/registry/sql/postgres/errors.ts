import pg from 'pg'
import { LeaseholdError, messageOf } from '../../../model/errors.ts'

/**
 * The connection is gone, or was never made: what ran on it is rolled back, if it had not been told to commit. Apart
 * from errors of the server's own, because those leave the connection in use.
 */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause })
  }
}

/** SQLSTATEs after which the server itself ends the session. */
const SESSION_ENDED = new Set([
  '57P01', // an administrator stops the server or ends the session
  '57P02', // another session crashed
  '57P03', // starting up or shutting down
  '57P05', // idle for too long
  '25P03', // idle in a transaction for too long
  '25P04', // transaction timeout
  '53300', // too many connections
])

/** What a transaction had taken for so, without waiting for it, is not so, or the body failed before that was known. */
export class WrongGuess extends Error {
  constructor(cause: unknown) {
    super('a guess was wrong', { cause })
  }
}

/** What a driver threw, sorted into the two kinds. */
export function asStoreError(error: unknown): pg.DatabaseError | ConnectionLost {
  if (error instanceof ConnectionLost) return error
  if (!(error instanceof pg.DatabaseError)) return new ConnectionLost(error)
  const state = error.code ?? ''
  return SESSION_ENDED.has(state) || state.startsWith('08') ? new ConnectionLost(error) : error
}

/** The server's word as the host's own copy of the driver tells it, which is another class there. */
export function asOwnError(error: unknown): unknown {
  const isForeign = error instanceof Error && !(error instanceof pg.DatabaseError)
  if (!isForeign || !('severity' in error) || !('code' in error)) return asStoreError(error)
  const own = new pg.DatabaseError(error.message, 0, 'error')
  return asStoreError(Object.assign(own, { code: error.code, cause: error }))
}

const STATE = {
  uniqueViolation: '23505',
  serializationFailure: '40001',
  deadlock: '40P01',
  /** After a migration that another OS process made, a prepared query may answer with other columns. */
  changedResult: '0A000',
  /** As guesses fail, and no other statements: none divides. */
  divisionByZero: '22012',
} as const

export const asWrongGuess = (error: unknown): unknown =>
  stateOf(error) === STATE.divisionByZero ? new WrongGuess(error) : error

/** The server has rolled the transaction back, and another run of the same body may well succeed. */
export const isWorthRepeating = (error: unknown): boolean =>
  stateOf(error) === STATE.serializationFailure || stateOf(error) === STATE.deadlock

/** A row came into being between the look and the insert: who looks again finds it. */
export const isInsertRace = (error: unknown): boolean => stateOf(error) === STATE.uniqueViolation

/** The connection's prepared statements are older than the schema; a new connection has none. */
export const isStaleStatement = (error: unknown): boolean => stateOf(error) === STATE.changedResult

export const stateOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined

/** What a person is told in place of the driver's error; anything else is returned as it is. */
export function explain(error: unknown, description: string): unknown {
  if (error instanceof ConnectionLost) return unavailable(error.cause, description)
  const state = stateOf(error)
  if (state === undefined) return error
  if (state in REFUSED) return unavailable(error, description)
  const failure = (code: LeaseholdError['code'], message: string) =>
    new LeaseholdError(code, message, {
      cause: error,
      details: { registry: description, sqlstate: state, postgres: messageOf(error) },
    })

  switch (state) {
    case '55P03':
      return failure(
        'registry_locked',
        `A row of the registry ${description} stayed locked by another transaction. Try again; if it stays so, look in pg_stat_activity for a session that keeps a transaction open.`,
      )
    case '40001':
    case '40P01':
      return failure(
        'registry_locked',
        `The registry ${description} gave up on a transaction that others kept crossing (${messageOf(error)}). Nothing of it was written; try again.`,
      )
    case '25006':
    case '42501':
      return failure(
        'registry_read_only',
        `The registry ${description} cannot be written: ${messageOf(error)}. Connect to the primary server, as a user who owns the registry's schema.`,
      )
    case '53100':
      return failure(
        'registry_disk_full',
        `The registry ${description} could not grow: the server's disk is full. Nothing of this transaction was written. Free some space; it can then be tried again.`,
      )
    case '54000':
      return failure(
        'payload_too_large',
        `A key is too long for an index of the registry ${description}: ${messageOf(error)}. Keys of events, waits and steps may have about 2,700 bytes.`,
      )
    case '42P01':
    case '42703':
    case '42P07':
    case '3F000':
      return failure(
        'registry_corrupt',
        `The schema of the registry ${description} is not Leasehold's: ${messageOf(error)}. If another program owns it, choose another schema; if it was the registry, restore a backup.`,
      )
    default:
      return state.startsWith('23') || state.startsWith('42') || state.startsWith('22')
        ? failure(
            'internal',
            `The registry ${description} refused a statement: ${messageOf(error)}. Its caller has to look inside the same transaction before it writes.`,
          )
        : failure(
            'registry_unavailable',
            `The registry ${description} could not be used: ${messageOf(error)} (SQLSTATE ${state}). See the server's log.`,
          )
  }
}

const REFUSED: Readonly<Record<string, string>> = {
  '28000': 'Check the user, and the server’s pg_hba.conf.',
  '28P01': 'Check the user and the password.',
  '3D000': 'Create the database, or name another one; Leasehold makes its own schema in it.',
}

/** Not one word of the connection string: it may hold a password. */
function unavailable(cause: unknown, description: string): LeaseholdError {
  const state = stateOf(cause)
  const isPoolBusy = messageOf(cause) === 'timeout exceeded when trying to connect'
  const advice =
    REFUSED[state ?? ''] ??
    (isPoolBusy
      ? 'All connections of the pool stayed in use: raise `pool.max`, or see what keeps them waiting.'
      : 'Check the address, and that the server is up and can be reached.')
  return new LeaseholdError(
    'registry_unavailable',
    `The registry ${description} cannot be reached: ${reasonOf(cause)}. ${advice}`,
    { cause, details: { registry: description, ...(state === undefined ? {} : { sqlstate: state }) } },
  )
}

/** A host with several addresses fails with one error for all of them, and that one has no message. */
function reasonOf(cause: unknown): string {
  const isBare = cause instanceof AggregateError && cause.message === ''
  return isBare ? cause.errors.map(messageOf).join('; ') : messageOf(cause)
}

/** The connection was lost while it committed: nobody here can know whether it did. */
export const unknownOutcome = (error: unknown, description: string): LeaseholdError =>
  new LeaseholdError(
    'registry_unavailable',
    `The registry ${description} was lost during a commit (${messageOf(error)}), so this write is either made or not, as a whole. Read before you repeat it.`,
    { cause: error, details: { registry: description, isOutcomeUnknown: true } },
  )
