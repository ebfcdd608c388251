import type { Json } from './json.ts'

/** Picks a value out of an event's payload. Declared with the event type, so that what an event means is data. */
export type Selector =
  | 'payload'
  /** JSON Pointer (RFC 6901). Naming nothing is an error. */
  | { readonly pointer: string }
  | { readonly const: Json }
  /** Each `{name}` that has a field is replaced by its text; all else stands as it is. */
  | { readonly template: string; readonly fields: Readonly<Record<string, Selector>> }
  /** Whether this JSON Pointer names something. */
  | { readonly present: string }

/** The selected value. `fail` makes the error of a pointer that names nothing. */
export function select(selector: Selector, payload: Json, fail: (problem: string) => Error): Json {
  if (selector === 'payload') return payload
  if ('const' in selector) return selector.const
  if ('present' in selector) return resolvePointer(selector.present, payload) !== undefined
  if ('template' in selector) {
    // In one pass: what a field puts in is text, even if it looks like another field.
    return selector.template.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
      const field = Object.hasOwn(selector.fields, name) ? selector.fields[name] : undefined
      return field === undefined ? whole : stringify(select(field, payload, fail))
    })
  }
  const found = resolvePointer(selector.pointer, payload)
  if (found === undefined) throw fail(`the pointer "${selector.pointer}" names nothing in its payload`)
  return found
}

/** Text stays as it is; everything else becomes compact JSON. */
export const stringify = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Null, false and what is empty are false; every number is true, zero too. */
export function isTruthy(value: Json): boolean {
  if (value === null || typeof value === 'boolean') return value === true
  if (typeof value === 'number') return true
  return typeof value === 'string' ? value !== '' : Object.keys(value).length > 0
}

/** What is wrong with a selector as declared; `undefined` where nothing is. */
export function findSelectorProblem(selector: unknown): string | undefined {
  if (selector === 'payload') return undefined
  if (typeof selector !== 'object' || selector === null) {
    return `is no selector: ${JSON.stringify(selector)}. It is "payload", or an object with "pointer", "const", "template" or "present"`
  }
  const { pointer, present, template, fields } = selector as Partial<Record<string, unknown>>
  if ('const' in selector) return undefined
  if ('pointer' in selector) return findPointerProblem(pointer)
  if ('present' in selector) return findPointerProblem(present)
  if (typeof template !== 'string' || typeof fields !== 'object' || fields === null) {
    return 'needs one of "pointer", "const", "present", or "template" with "fields"'
  }
  return Object.values(fields).map(findSelectorProblem).find(Boolean)
}

const findPointerProblem = (pointer: unknown): string | undefined =>
  typeof pointer === 'string' && /^(\/([^~/]|~[01])*)*$/u.test(pointer)
    ? undefined
    : `has the pointer ${JSON.stringify(pointer)}, which is no JSON Pointer (RFC 6901): "" or "/member/0"`

/** The value that the pointer names; `undefined` where it names nothing. */
export function resolvePointer(pointer: string, document: Json): Json | undefined {
  let value: Json | undefined = document
  for (const token of pointer.split('/').slice(1)) {
    value = memberOf(value, token.replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  return value
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  // An array has no members but its elements, and "01" or "-" name none.
  if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(name)) return undefined
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}
