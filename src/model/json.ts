import { hash } from 'node:crypto'

/** What a row, an event or a journal entry can hold: plain JSON, nothing that only JavaScript knows. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * Canonical JSON (RFC 8785): keys sorted by UTF-16 code unit, no white space, `-0` written as `0`.
 * Two values that are equal as JSON have the same text, so hashes and digests can be compared.
 * `known`: the texts of parts that many values have in common.
 */
export function canonicalJson(value: Json, known?: ReadonlyMap<Json, string>): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const text = known?.get(value)
  if (text !== undefined) return text
  if (isJsonArray(value)) return `[${value.map(element => canonicalJson(element, known)).join(',')}]`
  let members = ''
  for (const key of Object.keys(value).sort()) {
    if (members !== '') members += ','
    members += `${JSON.stringify(key)}:${canonicalJson(value[key] as Json, known)}`
  }
  return `{${members}}`
}

/** SHA-256 of the canonical JSON, lower-case hex. */
export function hashJson(value: Json, known?: ReadonlyMap<Json, string>): string {
  return hash('sha256', canonicalJson(value, known))
}

/**
 * The JSON that `value` becomes when stored, or where it stops being JSON. `undefined` members are left out, as
 * `JSON.stringify` does, and `undefined` itself is null; everything else that JSON cannot carry is refused, since it
 * would come back as something else after a crash.
 */
export function toJson(
  value: unknown,
): { ok: true; json: Json } | { ok: false; path: string; found: string } {
  const problem = findNonJson(value, '', new Set())
  if (problem !== undefined) return { ok: false, ...problem }
  return { ok: true, json: value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Json) }
}

/** What this package itself has written: its type is known, and JSON carries it as it is. */
export const fromJson = <T>(value: Json): T => value as T

/** Our own values are JSON by construction, but an interface is not assignable to an index signature. */
export const asJson = (value: object): Json => value as Json

export const jsonEquals = (left: Json, right: Json): boolean => canonicalJson(left) === canonicalJson(right)

/** Bytes of the value when stored as JSON text in UTF-8. */
export const jsonBytes = (value: Json): number => Buffer.byteLength(JSON.stringify(value))

const isJsonArray = (value: Json): value is readonly Json[] => Array.isArray(value)

function findNonJson(
  value: unknown,
  path: string,
  above: Set<object>,
): { path: string; found: string } | undefined {
  const here = (found: string) => ({ path: path === '' ? '(the value itself)' : path, found })
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return undefined
    case 'string':
      return value.isWellFormed() ? undefined : here('a string with a lone surrogate')
    case 'number':
      return Number.isFinite(value) ? undefined : here(String(value))
    case 'object':
      break
    default:
      return here(`a ${typeof value}`)
  }
  if (value === null) return undefined
  if (above.has(value)) return here('a circular reference')
  above.add(value)
  const problem = Array.isArray(value)
    ? findInArray(value, path, above)
    : findInObject(value, path, above, here)
  above.delete(value)
  return problem
}

function findInArray(value: readonly unknown[], path: string, above: Set<object>) {
  for (let index = 0; index < value.length; index++) {
    // JSON.stringify would turn it into null: another value than the one given.
    if (value[index] === undefined) return { path: `${path}[${index}]`, found: 'undefined in an array' }
    const problem = findNonJson(value[index], `${path}[${index}]`, above)
    if (problem !== undefined) return problem
  }
  return undefined
}

function findInObject<P>(value: object, path: string, above: Set<object>, here: (found: string) => P) {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    return here(`an instance of ${prototype?.constructor?.name ?? 'a class'}`)
  }
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed()) return here('a member name with a lone surrogate')
    const problem = findNonJson(member, path === '' ? key : `${path}.${key}`, above)
    if (problem !== undefined) return problem
  }
  return undefined
}
