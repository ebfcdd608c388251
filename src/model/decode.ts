import { type ErrorCode, LeaseholdError } from './errors.ts'
import { type Json, toJson } from './json.ts'

/** Turns an untyped value into a typed one, or says what is wrong with it and where. */
export type Decoder<T> = (value: unknown, at: Place) => T

/** Where in the value a decoder stands. */
export class Place {
  readonly #subject: string
  readonly #code: ErrorCode
  readonly #path: string

  constructor(subject: string, code: ErrorCode, path = '') {
    this.#subject = subject
    this.#code = code
    this.#path = path
  }

  member(name: string): Place {
    return new Place(this.#subject, this.#code, this.#path === '' ? name : `${this.#path}.${name}`)
  }

  item(index: number): Place {
    return new Place(this.#subject, this.#code, `${this.#path}[${index}]`)
  }

  mustBe(expected: string, found: unknown): LeaseholdError {
    const what = this.#path === '' ? `The ${this.#subject}` : `The ${this.#subject}'s "${this.#path}"`
    return this.#error(`${what} must be ${expected}; found ${describe(found)}.`)
  }

  unknownField(name: string, known: readonly string[]): LeaseholdError {
    const field = this.member(name).#path
    return this.#error(`The ${this.#subject} has no field "${field}". Known there: ${known.join(', ')}.`)
  }

  #error(message: string): LeaseholdError {
    return new LeaseholdError(this.#code, message, { details: { field: this.#path || undefined } })
  }
}

export interface OptionalField<T> {
  readonly optional: Decoder<T>
}

/** Absent, or what the decoder takes. */
export const optional = <T>(decoder: Decoder<T>): OptionalField<T> => ({ optional: decoder })

/** One entry for each member of T: a member that is added to a type must be added to its decoder. */
export type FieldsOf<T> = {
  readonly [Name in keyof T]-?: undefined extends T[Name]
    ? OptionalField<Exclude<T[Name], undefined>>
    : Decoder<T[Name]>
}

type AnyField = Decoder<unknown> | OptionalField<unknown>

/** An object with these fields and no others: what a reader does not know, it must not drop. */
export function object<T extends object>(fields: FieldsOf<T>): Decoder<T> {
  const decode = decodeMembers(Object.entries<AnyField>(fields))
  return (value, at) => decode(value, at) as T
}

/** A union told apart by the member `tag`: the other fields of each variant, by its name. */
export function variants<Tag extends string, T extends { readonly [K in Tag]: string }>(
  tag: Tag,
  fields: {
    readonly [Name in T[Tag]]: FieldsOf<Omit<Extract<T, { readonly [K in Tag]: Name }>, Tag>>
  },
): Decoder<T> {
  const decoders = new Map(
    Object.entries<object>(fields).map(([name, others]) => [
      name,
      decodeMembers([[tag, text], ...Object.entries<AnyField>({ ...others })]),
    ]),
  )
  return (value, at) => {
    const name = members(value, at)[tag]
    const decode = typeof name === 'string' ? decoders.get(name) : undefined
    if (decode === undefined) throw at.member(tag).mustBe(`one of ${[...decoders.keys()].join(', ')}`, name)
    return decode(value, at) as T
  }
}

function decodeMembers(fields: readonly (readonly [string, AnyField])[]): Decoder<object> {
  const known = fields.map(([name]) => name)
  return (value, at) => {
    const given = members(value, at)
    for (const name of Object.keys(given)) {
      if (!known.includes(name)) throw at.unknownField(name, known)
    }
    const decoded: Record<string, unknown> = {}
    for (const [name, field] of fields) {
      const member = Object.hasOwn(given, name) ? given[name] : undefined
      if (typeof field === 'function') decoded[name] = field(member, at.member(name))
      else if (member !== undefined) decoded[name] = field.optional(member, at.member(name))
    }
    return decoded
  }
}

export const oneOf =
  <const T extends string>(names: readonly T[], hint = ''): Decoder<T> =>
  (value, at) => {
    const found = names.find(name => name === value)
    if (found === undefined) throw at.mustBe(`one of ${names.join(', ')}${hint}`, value)
    return found
  }

/** A lone surrogate has no UTF-8: a database would give back another string than the one stored. */
export const text: Decoder<string> = (value, at) => {
  if (typeof value === 'string' && value.isWellFormed()) return value
  throw at.mustBe(typeof value === 'string' ? 'well-formed Unicode' : 'a string', value)
}

export const boolean: Decoder<boolean> = (value, at) => {
  if (typeof value === 'boolean') return value
  throw at.mustBe('a boolean', value)
}

/** Times, counts and positions; none of them has a fraction, and beyond 2^53 they would not be exact. */
export const wholeNumber: Decoder<number> = (value, at) => {
  if (Number.isSafeInteger(value)) return value as number
  throw at.mustBe('a whole number', value)
}

export const number: Decoder<number> = (value, at) => {
  if (Number.isFinite(value)) return value as number
  throw at.mustBe('a number', value)
}

export const json: Decoder<Json> = (value, at) => {
  if (value === undefined) throw at.mustBe('JSON', value)
  const found = toJson(value)
  if (found.ok) return found.json
  throw at.mustBe(`JSON; at ${found.path} it is ${found.found}`, value)
}

/** An object with members of any name. */
export const record =
  <T>(member: Decoder<T>): Decoder<{ readonly [name: string]: T }> =>
  (value, at) => {
    const given = Object.entries(members(value, at)).filter(([, one]) => one !== undefined)
    return Object.fromEntries(given.map(([name, one]) => [name, member(one, at.member(name))]))
  }

export const jsonObject = record(json)

export const list =
  <T>(item: Decoder<T>): Decoder<readonly T[]> =>
  (value, at) => {
    if (!Array.isArray(value)) throw at.mustBe('an array', value)
    return value.map((one: unknown, index) => item(one, at.item(index)))
  }

function members(value: unknown, at: Place): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>
  }
  throw at.mustBe('an object', value)
}

/** Short, and without the contents of what may hold a secret. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
}
