import { type Decoder, json, object, oneOf, optional, record, text } from './decode.ts'
import type { EventType } from './event.ts'
import type { EventSemantics, TerminalSpec, WakeSpec } from './event-semantics.ts'
import { TERMINAL_STATUSES } from './outcome.ts'
import type { Selector } from './selector.ts'

type Of<Name extends string> = Extract<Selector, { readonly [K in Name]: unknown }>

/** Told apart by the member that each has and no other. */
const SELECTORS: readonly (readonly [name: string, Decoder<Selector>])[] = [
  ['pointer', object<Of<'pointer'>>({ pointer: text })],
  ['const', object<Of<'const'>>({ const: json })],
  ['present', object<Of<'present'>>({ present: text })],
  [
    'template',
    object<Of<'template'>>({ template: text, fields: record((value, at) => selector(value, at)) }),
  ],
]

const selector: Decoder<Selector> = (value, at) => {
  if (value === 'payload') return value
  const isObject = typeof value === 'object' && value !== null
  const [, decode] = SELECTORS.find(([name]) => isObject && Object.hasOwn(value, name)) ?? []
  if (decode !== undefined) return decode(value, at)
  throw at.mustBe(
    'a selector: "payload", or an object with "pointer", "const", "template" or "present"',
    value,
  )
}

type DedupeKey = NonNullable<WakeSpec['dedupeKey']>
type DedupeBy<Name extends string> = Extract<DedupeKey, { readonly [K in Name]: unknown }>

const dedupeKey: Decoder<DedupeKey> = (value, at) => {
  if (value === 'event_identity') return value
  const isConst = typeof value === 'object' && value !== null && 'const' in value
  return isConst
    ? object<DedupeBy<'const'>>({ const: text })(value, at)
    : object<DedupeBy<'selector'>>({ selector })(value, at)
}

const semantics = object<EventSemantics>({
  terminal: optional(
    object<TerminalSpec>({ state: oneOf(TERMINAL_STATUSES), awaitOutput: optional(selector) }),
  ),
  wake: optional(
    object<WakeSpec>({ when: optional(selector), input: selector, dedupeKey: optional(dedupeKey) }),
  ),
})

export const eventType = object<EventType>({
  name: text,
  payloadSchema: json,
  semantics: optional(semantics),
})
