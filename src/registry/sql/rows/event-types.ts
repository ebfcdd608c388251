import { CORE_EVENT_TYPES, type EventType } from '../../../model/event.ts'
import { decodeShared, encode, type JsonText } from '../json-text.ts'

/**
 * Most types of a row are the core ones that every process declares, and most of the row would be these. Where they stand
 * as they are, as the last of the list, a number stands for all of them. Rows are read for years: a change of the core
 * types needs the next number, and the list of this one as it was.
 */
const CORE = { rest: encode(CORE_EVENT_TYPES).slice(1), mark: '"core:1"]' } as const

export function encodeEventTypes(types: readonly EventType[]): JsonText<readonly EventType[]> {
  const own = types.slice(0, -CORE_EVENT_TYPES.length)
  if (!CORE_EVENT_TYPES.every((core, index) => types[own.length + index] === core)) return encode(types)
  return `[${own.map(type => `${encode(type)},`).join('')}${CORE.mark}`
}

/** Frozen, since all readers of the same text get the same value. */
export const decodeEventTypes = (text: JsonText<readonly EventType[]>): readonly EventType[] =>
  decodeShared(text, wholeOf)

/** A type is an object, so that no list of types alone ends like that. */
const wholeOf = (text: string): string =>
  text.endsWith(CORE.mark) ? text.slice(0, -CORE.mark.length) + CORE.rest : text
