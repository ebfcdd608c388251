import type { StandardSchemaV1 } from '@standard-schema/spec'
import { LeaseholdError } from '../model/errors.ts'
import { type Json, toJson } from '../model/json.ts'
import { findSchemaProblem } from '../registry/json-schema.ts'

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
  throw misfit(what, problems.join('; '))
}

/**
 * The same for a tool's input schema, which may be anything that the AI SDK's `tool()` takes: a Standard Schema, what its
 * `jsonSchema()` makes, with a validator of its own or without, or a function that gives either.
 */
export async function parseToolInput(what: string, inputSchema: unknown, value: unknown): Promise<Json> {
  if (isSchema(inputSchema)) return parseInput(what, inputSchema, value)
  if (typeof inputSchema === 'function') return parseToolInput(what, inputSchema(), value)
  if (!isSdkSchema(inputSchema)) return requireJson(what, value)
  const json = requireJson(what, value)
  if (inputSchema.validate !== undefined) {
    const result = await inputSchema.validate(json)
    if (result.success) return requireJson(what, result.value)
    throw misfit(what, result.error.message)
  }
  const problem = findSchemaProblem((await inputSchema.jsonSchema) as Json, json)
  if (problem !== undefined) throw misfit(what, problem)
  return json
}

interface SdkSchema {
  readonly jsonSchema: unknown
  validate?(
    value: unknown,
  ): MaybePromise<
    { readonly success: true; readonly value: unknown } | { readonly success: false; readonly error: Error }
  >
}

type MaybePromise<T> = T | PromiseLike<T>

const isSdkSchema = (schema: unknown): schema is SdkSchema =>
  typeof schema === 'object' && schema !== null && 'jsonSchema' in schema

const misfit = (what: string, problems: string): LeaseholdError =>
  new LeaseholdError('process_input_invalid', `The input of ${what} does not fit its schema: ${problems}.`)

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
