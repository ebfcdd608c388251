import { isLarge, type TakenBlob, takeOutBlobs } from '../../model/blob.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { BlobUse, DeletedBlobs } from '../store.ts'
import { frozenCopy, parseFrozen } from './frozen.ts'
import type { MemoryState } from './state.ts'
import type { TransactionalMap } from './transactional-map.ts'

/** A large part of rows, held once: the rows that refer to it hold the very same value. */
export interface MemoryBlob {
  readonly value: unknown
  readonly bytes: number
}

type Path = TakenBlob['path']

/** Where values of any size stand. A database has a column for each, and looks for large parts in those. */
export const LARGE_PLACES = {
  process: ['input', 'eventTypes', 'outcome', 'externalRef', 'cancelRequest', 'abandonRequest'].map(name => [
    'record',
    name,
  ]),
  event: [
    ['event', 'payload'],
    ['event', 'semantics'],
  ],
  journalEntry: [['value'], ['failure']],
  wake: [['delivery']],
  pendingCall: [['answer']],
  session: [['policy'], ['pluginOptions']],
  sessionEntry: [['message']],
} as const satisfies Record<string, readonly Path[]>

/** A frozen copy of a row of the process, which shares its large parts with all rows that have the same. */
export function keepOfProcess<T extends object>(
  state: MemoryState,
  id: ProcessId,
  row: T,
  places: readonly Path[],
): T {
  const { kept, hashes } = keepSharing(state, row, places)
  refer(state.processBlobs, id, hashes)
  return kept
}

/** The same for a row of the session. */
export function keepOfSession<T extends object>(
  state: MemoryState,
  id: string,
  row: T,
  places: readonly Path[],
): T {
  const { kept, hashes } = keepSharing(state, row, places)
  refer(state.sessionBlobs, id, hashes)
  return kept
}

function refer<Id extends string>(
  references: TransactionalMap<Id, readonly string[]>,
  id: Id,
  hashes: readonly string[],
): void {
  if (hashes.length > 0) references.set(id, [...new Set([...(references.get(id) ?? []), ...hashes])])
}

export function keepEntry(state: MemoryState, key: string, entry: JournalEntry): JournalEntry {
  const { kept, hashes } = keepSharing(state, entry, LARGE_PLACES.journalEntry)
  if (hashes.length > 0 || state.journalBlobs.get(key) !== undefined) state.journalBlobs.set(key, hashes)
  return kept
}

function keepSharing<T extends object>(
  state: MemoryState,
  row: T,
  places: readonly Path[],
): { readonly kept: T; readonly hashes: readonly string[] } {
  const text = JSON.stringify(row)
  if (!isLarge(text)) return { kept: frozenCopy(row), hashes: [] }
  const copy = JSON.parse(text) as T
  const hashes: string[] = []
  for (const place of places) {
    const part = memberAt(copy, place)
    if (part === undefined) continue
    for (const blob of takeOutBlobs(JSON.stringify(part)).blobs) {
      setMember(copy, [...place, ...blob.path], sharedValue(state, blob))
      hashes.push(blob.hash)
    }
  }
  return { kept: deepFrozen(copy), hashes }
}

export function listBlobs(state: MemoryState, after: string, limit: number): BlobUse[] {
  const referenced = referencedBlobs(state)
  return state.blobs
    .entries()
    .map(([hash]) => hash)
    .filter(hash => hash > after)
    .sort()
    .slice(0, limit)
    .map(hash => ({ hash, isReferenced: referenced.has(hash) }))
}

export function deleteBlobs(state: MemoryState, hashes: readonly string[]): DeletedBlobs {
  const referenced = referencedBlobs(state)
  let [count, bytes] = [0, 0]
  for (const hash of hashes) {
    const blob = state.blobs.get(hash)
    if (blob === undefined || referenced.has(hash)) continue
    state.blobs.delete(hash)
    count += 1
    bytes += blob.bytes
  }
  return { count, bytes }
}

/** A reference lasts as long as what made it. */
function referencedBlobs(state: MemoryState): ReadonlySet<string> {
  const { processes, processBlobs, journal, journalBlobs, sessions, sessionBlobs } = state
  return new Set([
    ...processBlobs.entries().flatMap(([id, hashes]) => (processes.get(id) === undefined ? [] : hashes)),
    ...sessionBlobs.entries().flatMap(([id, hashes]) => (sessions.get(id) === undefined ? [] : hashes)),
    ...journalBlobs.entries().flatMap(([key, hashes]) => (journal.get(key) === undefined ? [] : hashes)),
  ])
}

function sharedValue(state: MemoryState, { hash, text }: TakenBlob): unknown {
  const known = state.blobs.get(hash)
  if (known !== undefined) return known.value
  const value = parseFrozen(text)
  state.blobs.set(hash, { value, bytes: Buffer.byteLength(text) })
  return value
}

const memberAt = (value: object, path: Path): unknown =>
  path.reduce<unknown>((at, name) => (isObject(at) ? Reflect.get(at, name) : undefined), value)

function setMember(value: object, path: Path, member: unknown): void {
  const [parent, name] = [memberAt(value, path.slice(0, -1)), path.at(-1)]
  if (!isObject(parent) || name === undefined) return
  // Not by assignment: a member named "__proto__" is one like any other.
  Object.defineProperty(parent, name, { value: member, enumerable: true, configurable: true, writable: true })
}

/** What is frozen already is a shared part, frozen all through. */
function deepFrozen<T>(value: T): T {
  if (!isObject(value) || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFrozen(member)
  return Object.freeze(value)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
