import type { Json } from '../../model/json.ts'
import { findSchemaProblem } from '../../registry/json-schema.ts'
import { turnFailed } from './policy.ts'

/** The JSON Schema that the answer has to fit; absent where any text will do. */
export function answerSchemaOf(contract: Json): Json | undefined {
  if (contract === null || contract === true) return undefined
  const isText = typeof contract === 'object' && 'type' in contract && contract.type === 'string'
  return isText ? undefined : contract
}

/** What the model's text is as an answer. Throws `process_session_turn_failed` where it does not fit. */
export function readAnswer(text: string, schema: Json | undefined): Json {
  if (schema === undefined) return text
  let answer: Json
  try {
    answer = JSON.parse(text) as Json
  } catch (cause) {
    throw turnFailed('its answer is no JSON, and the output contract asks for it', cause)
  }
  const problem = findSchemaProblem(schema, answer)
  if (problem === undefined) return answer
  throw turnFailed(`its answer does not fit the output contract: ${problem}`)
}
