import { LeaseholdError } from '../model/errors.ts'
import { CORE_EVENT_TYPES, type EventType, wakeOn } from '../model/event.ts'
import type { WakeSpec } from '../model/event-semantics.ts'
import type { Json } from '../model/json.ts'
import { findUnusableSchema } from '../registry/json-schema.ts'

/** By event type: when it wakes, and what the session is told. */
export type Wakes = Readonly<Record<string, WakeSpec>>

export const isCoreEventType = (name: string): boolean => CORE_EVENT_TYPES.some(core => core.name === name)

/**
 * The event types of a registration: those that its kind declares, each with its wake. A start's `wakes` replace the
 * kind's, type by type. Throws `process_event_undeclared` for a wake of a type that nobody declares, and
 * `process_registration_invalid` for a schema that no payload can be checked by: each append would fail.
 */
export function eventTypesOf(
  declared: Readonly<Record<string, Json>> = {},
  ...wakesOf: readonly (Wakes | undefined)[]
): readonly EventType[] {
  const wakes: Wakes = Object.assign({}, ...wakesOf)
  const own = Object.entries(declared).map(([name, payloadSchema]) => {
    requireUsableSchema(name, payloadSchema)
    const wake = Object.hasOwn(wakes, name) ? wakes[name] : undefined
    return { name, payloadSchema, ...(wake === undefined ? {} : { semantics: { wake } }) }
  })
  const core = Object.entries(wakes)
    .filter(([name]) => !Object.hasOwn(declared, name))
    .map(([name, wake]) => {
      if (isCoreEventType(name)) return wakeOn(name, wake)
      throw new LeaseholdError(
        'process_event_undeclared',
        `Nothing can wake by event type "${name}": it is declared neither by the kind nor by every process. Declared are: ${[...Object.keys(declared), ...CORE_EVENT_TYPES.map(one => one.name)].join(', ')}.`,
      )
    })
  return [...own, ...core]
}

function requireUsableSchema(name: string, schema: Json): void {
  const problem = findUnusableSchema(schema)
  if (problem === undefined) return
  throw new LeaseholdError(
    'process_registration_invalid',
    `The JSON Schema of event type "${name}" ${problem}. Correct it where the kind is defined; \`true\` allows any payload.`,
    { details: { eventType: name } },
  )
}
