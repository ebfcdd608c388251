import { createRequire } from 'node:module'
import type { AnySchema, Options, ValidateFunction } from 'ajv'
import { messageOf } from '../model/errors.ts'
import { canonicalJson, type Json } from '../model/json.ts'

/** What is wrong with the payload by this JSON Schema, in words; `undefined` where nothing is. */
export function findSchemaProblem(schema: Json, payload: Json): string | undefined {
  if (schema === true) return undefined
  const compiled = compile(schema)
  if (compiled.type === 'unusable') return `the schema itself ${compiled.problem}`
  const { validate } = compiled
  if (validate(payload)) return undefined
  const [first] = validate.errors ?? []
  return first === undefined
    ? 'it does not fit'
    : `${first.instancePath || 'the payload'} ${first.message ?? 'does not fit'}`
}

/** Why no payload could be checked by this schema, to go on after "the schema"; `undefined`: it can be used. */
export function findUnusableSchema(schema: Json): string | undefined {
  if (schema === true) return undefined
  const compiled = compile(schema)
  return compiled.type === 'unusable' ? compiled.problem : undefined
}

type Compiled =
  | { readonly type: 'usable'; readonly validate: ValidateFunction }
  | { readonly type: 'unusable'; readonly problem: string }

/** By canonical text. A host has few schemas, but each turn may bring one of its own. */
const known = new Map<string, Compiled>()
const MOST_KNOWN = 1_000

function compile(schema: Json): Compiled {
  const key = canonicalJson(schema)
  const found = known.get(key)
  if (found !== undefined) return found
  if (known.size === MOST_KNOWN) forgetAll()
  const compiled = compileAnew(schema, { hasId: key.includes('"$id"') })
  known.set(key, compiled)
  return compiled
}

function compileAnew(schema: Json, { hasId }: { readonly hasId: boolean }): Compiled {
  const isSchema = typeof schema === 'boolean' || (typeof schema === 'object' && schema !== null)
  if (!isSchema) return unusable('is neither an object nor a boolean')
  const dialect = dialectOf(schema)
  if (!isDialect(dialect))
    return unusable(`is of the dialect ${JSON.stringify(dialect)}; known are ${DIALECTS.join(', ')}`)
  try {
    // A name is one schema's own for each validator, and two schemas may have one, as those of two deploys have.
    const validator = hasId ? load(dialect) : validatorOf(dialect)
    const validate = validator.compile(schema as AnySchema)
    // Such a one answers later, and would be taken to allow all.
    if ('$async' in validate) return unusable('is asynchronous')
    return { type: 'usable', validate }
  } catch (error) {
    // Of several problems the first.
    const [reason] = messageOf(error)
      .replace(/^schema is invalid: data/, '')
      .split(', data')
    return unusable(`cannot be used: ${reason}`)
  }
}

const unusable = (problem: string): Compiled => ({ type: 'unusable', problem })

/** A schema that names none is read as the first one. */
const DIALECTS = [
  'http://json-schema.org/draft-07/schema',
  'https://json-schema.org/draft/2019-09/schema',
  'https://json-schema.org/draft/2020-12/schema',
] as const
type Dialect = (typeof DIALECTS)[number]

const isDialect = (name: string): name is Dialect => DIALECTS.some(one => one === name)

function dialectOf(schema: Json): string {
  const named = typeof schema === 'object' && schema !== null ? Reflect.get(schema, '$schema') : undefined
  return named === undefined ? DIALECTS[0] : String(named).replace(/#$/, '')
}

const OPTIONS: Options = {
  allErrors: false,
  // A user's schema may carry annotations that Ajv does not know, and formats are such.
  strict: false,
  validateFormats: false,
}

type Validator = Pick<import('ajv').Ajv, 'compile'>
const validators = new Map<Dialect, Validator>()

function validatorOf(dialect: Dialect): Validator {
  const validator = validators.get(dialect) ?? load(dialect)
  validators.set(dialect, validator)
  return validator
}

/** The validators as well, for each keeps whatever it has compiled. */
function forgetAll(): void {
  known.clear()
  validators.clear()
}

/** Loaded late: it takes longer than most commands, and most event types take any payload. */
function load(dialect: Dialect): Validator {
  const require = createRequire(import.meta.url)
  switch (dialect) {
    case DIALECTS[0]: {
      const { Ajv }: typeof import('ajv') = require('ajv')
      return new Ajv(OPTIONS)
    }
    case DIALECTS[1]: {
      const { Ajv2019 }: typeof import('ajv/dist/2019.js') = require('ajv/dist/2019.js')
      return new Ajv2019(OPTIONS)
    }
    case DIALECTS[2]: {
      const { Ajv2020 }: typeof import('ajv/dist/2020.js') = require('ajv/dist/2020.js')
      return new Ajv2020(OPTIONS)
    }
  }
}
