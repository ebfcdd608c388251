declare const content: unique symbol

/** JSON in a text column. What it holds is known to the compiler, so that a column is decoded as what was encoded. */
export type JsonText<T> = string & { readonly [content]?: T }

export const encode = <T>(value: T): JsonText<T> => JSON.stringify(value)

export const encodeOptional = <T>(value: T | undefined): JsonText<T> | null =>
  value === undefined ? null : encode(value)

export const decode = <T>(text: JsonText<T>): T => JSON.parse(text) as T

export const decodeOptional = <T>(text: JsonText<T> | null): T | null => (text === null ? null : decode(text))

/** How many shared texts are remembered, and how long each may be: a host has a few kinds, of a few hundred characters. */
const SHARED = { count: 200, length: 8_192 } as const
const shared = new Map<string, unknown>()
const same = (text: string): string => text

/**
 * The same for texts that many rows have in common: decoded once, and frozen, since all readers get the same value.
 * `wholeOf`: of a text that stands for a longer one.
 */
export function decodeShared<T>(text: JsonText<T>, wholeOf: (text: string) => string = same): T {
  const known = shared.get(text)
  if (known !== undefined) return known as T
  const value = JSON.parse(wholeOf(text), (_, member: unknown) => Object.freeze(member)) as T
  if (text.length > SHARED.length) return value
  if (shared.size >= SHARED.count) shared.clear()
  shared.set(text, value)
  return value
}
