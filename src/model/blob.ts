import { hash } from 'node:crypto'
import { isLeaseholdError, LeaseholdError } from './errors.ts'
import type { Json } from './json.ts'

/** The most that a row holds of a value itself. */
export const MAX_INLINE_BYTES = 64 * 1024

/** JSON text that is stored once, whatever refers to it. */
export interface StoredBlob {
  /** SHA-256 of the text in UTF-8, lower-case hex. */
  readonly hash: string
  readonly text: string
}

/** A part of a value, and where in the value it stands. */
export interface TakenBlob extends StoredBlob {
  readonly path: readonly (string | number)[]
}

/**
 * Stands before a hash where a blob was taken out of a JSON text. JSON writes this control character as an escape, so
 * no value of whatever contents can hold what looks like a reference.
 */
const MARK = '\u001a'
const HASH_LENGTH = 64

/** Deeper down, parts are not looked at one by one: it bounds what a value of many levels costs. */
const MAX_DEPTH = 8

export const isLarge = (text: string): boolean =>
  text.length > MAX_INLINE_BYTES ||
  // A UTF-16 unit has at most three bytes in UTF-8.
  (text.length * 3 > MAX_INLINE_BYTES && Buffer.byteLength(text) > MAX_INLINE_BYTES)

export const hashBlob = (text: string): string => hash('sha256', text)

/**
 * Takes large parts out of a JSON text, and leaves a reference in the place of each. The smallest part that is large by
 * itself is taken, so that a payload is the same blob in an outcome, in the event that says so and wherever else it is
 * wrapped. The text is taken as it stands and not in its canonical form: a value must come back with its members in the
 * order in which they were given, or a replay would build another text from it. A blob holds no reference.
 */
export function takeOutBlobs(text: string): { readonly text: string; readonly blobs: readonly TakenBlob[] } {
  if (!isLarge(text)) return { text, blobs: [] }
  const blobs: TakenBlob[] = []
  return { text: takeOut(JSON.parse(text) as Json, text, [], blobs), blobs }
}

/** The blobs that a text refers to. */
export const blobsIn = (text: string): readonly string[] =>
  // Next to all texts refer to none, and a search for one character costs next to nothing.
  text.includes(MARK)
    ? text
        .split(MARK)
        .slice(1)
        .map(part => part.slice(0, HASH_LENGTH))
    : []

/** The text as it was before its blobs were taken out. */
export function putBackBlobs(text: string, textOf: (hash: string) => string): string {
  const [first = '', ...others] = text.split(MARK)
  return first + others.map(part => textOf(part.slice(0, HASH_LENGTH)) + part.slice(HASH_LENGTH)).join('')
}

/** `value` is what the large `text` says. */
function takeOut(value: Json, text: string, path: TakenBlob['path'], blobs: TakenBlob[]): string {
  const inner: TakenBlob[] = []
  const rest = path.length < MAX_DEPTH ? restOf(value, path, inner) : undefined
  if (rest !== undefined && inner.length > 0) {
    blobs.push(...inner)
    return rest
  }
  const hash = hashBlob(text)
  blobs.push({ path, hash, text })
  return MARK + hash
}

/** The text of a container without its large members; absent where it is large without them, or has none. */
function restOf(value: Json, path: TakenBlob['path'], inner: TakenBlob[]): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const isArray = Array.isArray(value)
  const parts: string[] = []
  let bytes = 2
  for (const key of isArray ? value.keys() : Object.keys(value)) {
    const member = Reflect.get(value, key) as Json
    const text = JSON.stringify(member)
    const part = isLarge(text) ? takeOut(member, text, [...path, key], inner) : text
    const named = isArray ? part : `${JSON.stringify(key)}:${part}`
    bytes += Buffer.byteLength(named) + 1
    // Stopping here keeps an array of a million numbers from being written number by number.
    if (bytes > MAX_INLINE_BYTES) return undefined
    parts.push(named)
  }
  return isArray ? `[${parts.join(',')}]` : `{${parts.join(',')}}`
}

/** Whose part it is. */
export type BlobOwner = { readonly processId: string } | { readonly sessionId: string }

export const blobMissing = (owner: BlobOwner, hash: string): LeaseholdError =>
  unreadable('blob_missing', owner, hash, 'this registry does not have it', {})

export const blobCorrupt = (owner: BlobOwner, hash: string, found: string): LeaseholdError =>
  unreadable('blob_corrupt', owner, hash, `what is stored there has the hash ${found}: it was changed`, {
    found,
  })

function unreadable(
  code: 'blob_missing' | 'blob_corrupt',
  owner: BlobOwner,
  hash: string,
  problem: string,
  details: { readonly found?: string },
): LeaseholdError {
  const isProcess = 'processId' in owner
  const whose = isProcess ? `process "${owner.processId}"` : `session "${owner.sessionId}"`
  return new LeaseholdError(
    code,
    `A part of ${whose} is stored as blob ${hash}, and ${problem}. Restore that row of the table "blobs" from a backup: any backup's will do, a blob never changes.`,
    isProcess
      ? { processId: owner.processId, details: { hash, ...details } }
      : { details: { sessionId: owner.sessionId, hash, ...details } },
  )
}

/** Is it about a blob of a process? */
export const isUnreadable = (error: unknown): error is LeaseholdError & { readonly processId: string } =>
  (isLeaseholdError(error, 'blob_missing') || isLeaseholdError(error, 'blob_corrupt')) &&
  error.processId !== undefined
