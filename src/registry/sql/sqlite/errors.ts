import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { LeaseholdError, messageOf } from '../../../model/errors.ts'

/** SQLite's primary result codes, as far as somebody can do something about them. */
const RESULT = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  constraint: 19,
  notADatabase: 26,
} as const

/** The connection or file was locked by somebody else, and trying again may succeed. */
export const isBusy = (error: unknown): boolean => resultOf(error) === RESULT.busy

/** What a person is told in place of SQLite's error; anything else is returned as it is. */
export function explain(error: unknown, path: string): unknown {
  const result = resultOf(error)
  if (result === undefined) return error
  const failure = (code: LeaseholdError['code'], message: string) =>
    new LeaseholdError(code, message, { cause: error, details: { path, sqlite: messageOf(error) } })

  switch (result) {
    case RESULT.busy:
      return failure(
        'registry_locked',
        `The registry ${path} is locked by another OS process. Try again; if it stays so, look for a program that keeps a transaction open on it (a database shell, a backup).`,
      )
    case RESULT.readOnly:
      return failure(
        'registry_read_only',
        `The registry ${path} cannot be written: ${whyNotWritable(path)}. Give this user the right to write the file and its folder, or choose another path.`,
      )
    case RESULT.corrupt:
    case RESULT.notADatabase:
      return failure(
        'registry_corrupt',
        `The file ${path} is not an intact SQLite database (${messageOf(error)}). If another program owns it, choose another path; if it was the registry, restore a backup, with the -wal file that belongs to it.`,
      )
    case RESULT.full:
      return failure(
        'registry_disk_full',
        `The registry ${path} could not grow: the disk or its quota is full. Nothing of this transaction was written. Free some space; it can then be tried again.`,
      )
    case RESULT.cannotOpen:
      return cannotOpen(error, path)
    case RESULT.constraint:
      return failure(
        'internal',
        `The registry ${path} refused a row: ${messageOf(error)}. Its caller has to look inside the same transaction before it inserts.`,
      )
    default:
      return failure(
        'registry_unavailable',
        `The registry ${path} could not be used: ${messageOf(error)} (SQLite error ${result}). Check the disk and its file system.`,
      )
  }
}

/** The file could not be opened or made. SQLite says no more than that, so the file system is asked. */
export function cannotOpen(cause: unknown, path: string): LeaseholdError {
  const failure = (code: 'registry_read_only' | 'registry_unavailable', why: string) =>
    new LeaseholdError(code, `The registry ${path} cannot be opened: ${why}.`, {
      cause,
      details: { path, reason: messageOf(cause) },
    })
  if (isFolder(path)) return failure('registry_unavailable', 'it is a folder. Name a file inside it')
  const denied = deniedBy(path) ?? deniedBy(dirname(path))
  if (denied !== undefined || ['EACCES', 'EPERM', 'EROFS'].includes(String(systemCode(cause)))) {
    return failure(
      'registry_read_only',
      `${denied ?? messageOf(cause)}. Give this user the right to write the file and its folder, or choose another path`,
    )
  }
  return failure(
    'registry_unavailable',
    `${messageOf(cause)}. Check the path, and that its folder can hold files`,
  )
}

const whyNotWritable = (path: string): string =>
  deniedBy(path) ?? deniedBy(dirname(path)) ?? 'its file system refuses writes'

function deniedBy(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK)
    return undefined
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EROFS') return `${path} is on a read-only file system`
    if (code === 'EACCES' || code === 'EPERM') return `${path} is not writable for this user`
    return undefined
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** The low byte is the primary code; the rest says more, in ways that differ between versions. */
function resultOf(error: unknown): number | undefined {
  const isSqlite = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
  return isSqlite ? (error.errcode as number) & 0xff : undefined
}

const systemCode = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined
