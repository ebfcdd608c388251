declare const content: unique symbol

/** JSON in a text column. What it holds is known to the compiler, so that a column is decoded as what was encoded. */
export type JsonText<T> = string & { readonly [content]?: T }

export const encode = <T>(value: T): JsonText<T> => JSON.stringify(value)

export const encodeOptional = <T>(value: T | undefined): JsonText<T> | null =>
  value === undefined ? null : encode(value)

export const decode = <T>(text: JsonText<T>): T => JSON.parse(text) as T

export const decodeOptional = <T>(text: JsonText<T> | null): T | null => (text === null ? null : decode(text))
