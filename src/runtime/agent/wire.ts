import type { Json } from '../../model/json.ts'

/**
 * What the AI SDK's values hold beside JSON stands in the journal as an object with one of these members alone. JSON that
 * looks so itself is wrapped in `TAGS.json`.
 */
const TAGS = {
  bytes: 'leasehold.bytes',
  date: 'leasehold.date',
  url: 'leasehold.url',
  json: 'leasehold.json',
} as const

const NAMES: ReadonlySet<string> = new Set(Object.values(TAGS))

/**
 * A value of the AI SDK as the journal keeps it: bytes, dates and addresses come back as such. What nobody could keep
 * (functions, symbols, `undefined`) is left out, as JSON does.
 */
export function toWire(value: unknown): Json {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      // A provider's delta may end inside a character.
      return value.toWellFormed()
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'object':
      return toWireObject(value)
    default:
      return null
  }
}

function toWireObject(value: object): Json {
  if (value instanceof Uint8Array) return { [TAGS.bytes]: Buffer.from(value).toString('base64') }
  if (value instanceof Date) return { [TAGS.date]: value.getTime() }
  if (value instanceof URL) return { [TAGS.url]: value.href }
  if (Array.isArray(value)) return value.map(toWire)
  const members = Object.entries(value).flatMap(([key, member]) =>
    isStorable(member) ? [[key.toWellFormed(), toWire(member)] as const] : [],
  )
  const plain = Object.fromEntries(members)
  return isTagged(plain) ? { [TAGS.json]: plain } : plain
}

/** The value that `toWire` was given. */
export function fromWire(stored: Json): unknown {
  if (typeof stored !== 'object' || stored === null) return stored
  if (Array.isArray(stored)) return stored.map(fromWire)
  if (!isTagged(stored)) return fromMembers(stored)
  const [[tag, said = null] = ['', null]] = Object.entries(stored)
  switch (tag) {
    case TAGS.bytes:
      return new Uint8Array(Buffer.from(String(said), 'base64'))
    case TAGS.date:
      return new Date(Number(said))
    case TAGS.url:
      return new URL(String(said))
    default:
      return fromMembers(said)
  }
}

const fromMembers = (stored: Json): unknown =>
  Object.fromEntries(Object.entries(stored ?? {}).map(([key, member]) => [key, fromWire(member)]))

const isTagged = (value: object): boolean => {
  const [name, ...others] = Object.keys(value)
  return name !== undefined && others.length === 0 && NAMES.has(name)
}

const isStorable = (value: unknown): boolean =>
  value !== undefined && typeof value !== 'function' && typeof value !== 'symbol'
