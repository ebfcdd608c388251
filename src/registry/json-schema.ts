import { Ajv, type ValidateFunction } from 'ajv'
import { canonicalJson, type Json } from '../model/json.ts'

// `strict: false`: a user's schema may carry annotations that Ajv does not know.
const ajv = new Ajv({ allErrors: false, strict: false })
const compiled = new Map<string, ValidateFunction>()

/** What is wrong with the payload by this JSON Schema, in words; `undefined` where nothing is. */
export function findSchemaProblem(schema: Json, payload: Json): string | undefined {
  if (schema === true) return undefined
  const validate = compile(schema)
  if (validate(payload)) return undefined
  const [first] = validate.errors ?? []
  return first === undefined
    ? 'it does not fit'
    : `${first.instancePath || 'the payload'} ${first.message ?? 'does not fit'}`
}

function compile(schema: Json): ValidateFunction {
  const key = canonicalJson(schema)
  const known = compiled.get(key)
  if (known !== undefined) return known
  const validate = ajv.compile(typeof schema === 'boolean' ? schema : (schema as object))
  compiled.set(key, validate)
  return validate
}
