import type { StandardSchemaV1 } from '@standard-schema/spec'
import { LeaseholdError } from '../model/errors.ts'
import { type Json, toJson } from '../model/json.ts'

/** Any Standard Schema (zod, valibot, arktype, …). */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** Checks a value and returns what a row may hold of it; `process_input_invalid` names each problem and where it is. */
export async function parseInput(what: string, schema: Schema | undefined, value: unknown): Promise<Json> {
  if (schema === undefined) return requireJson(what, value)
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return requireJson(what, result.value)
  const problems = result.issues.map(issue => {
    const path = (issue.path ?? []).map(part => (typeof part === 'object' ? part.key : part)).join('.')
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  throw new LeaseholdError(
    'process_input_invalid',
    `The input of ${what} does not fit its schema: ${problems.join('; ')}.`,
  )
}

function requireJson(what: string, value: unknown): Json {
  const result = toJson(value)
  if (result.ok) return result.json
  throw new LeaseholdError(
    'process_input_invalid',
    `The input of ${what} must be plain JSON; found ${result.found} at ${result.path}.`,
  )
}

export const isSchema = (value: unknown): value is Schema =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
