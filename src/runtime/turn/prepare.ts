import { LeaseholdError } from '../../model/errors.ts'
import { type Json, toJson } from '../../model/json.ts'
import type { ProcessInput, SessionCreateRequest } from '../../model/process.ts'
import { findUnusableSchema } from '../../registry/json-schema.ts'
import { type ProcessEnvironment, prepareEnvironment } from '../environment.ts'
import type { Host } from '../host.ts'
import { readTurnInput, type TurnInput } from './input.ts'

/** What a start says of a session turn. */
export interface SessionTurnStart {
  readonly prompt: TurnInput
  /** The session that the turn goes on with, or what its own begins with. What it leaves out is the host's own. */
  readonly session?: SessionCreateRequest
  /** JSON Schema of the answer. Default: any text. */
  readonly output?: Json
}

const FIELDS: ReadonlySet<string> = new Set(['prompt', 'session', 'output'])
const SESSION_FIELDS: ReadonlySet<string> = new Set([
  'sessionId',
  'policy',
  'pluginOptions',
  'subagent',
  'usageSource',
  'causedBy',
])

/** Checks what a start says and fills in what the host says. Throws `process_input_invalid` and the environment's errors. */
export async function prepareSessionTurn(
  host: Host,
  given: unknown,
  env: Partial<ProcessEnvironment> | undefined,
): Promise<Extract<ProcessInput, { readonly type: 'session_turn' }>> {
  const stored = toJson(given ?? {})
  if (!stored.ok) throw invalid(`must be plain JSON; found ${stored.found} at ${stored.path}`)
  const input = requireFields('', stored.json, FIELDS)
  const contract = input.output ?? { type: 'string' }
  const unusable = findUnusableSchema(contract)
  if (unusable !== undefined) throw invalid(`has as output a JSON Schema that ${unusable}`)
  const read = readTurnInput(input.prompt ?? null)
  if ('problem' in read) throw invalid(`needs a prompt: it ${read.problem}`)
  const session = requireFields('session', input.session ?? {}, SESSION_FIELDS) as SessionCreateRequest
  const asked = {
    ...env,
    ...(session.policy === undefined ? {} : { policy: session.policy }),
    ...(session.pluginOptions === undefined ? {} : { pluginOptions: session.pluginOptions }),
  }
  return {
    type: 'session_turn',
    createRequest: { ...session, ...(await prepareEnvironment(host, asked)) },
    turnInput: input.prompt ?? null,
    outputContract: contract,
  }
}

function requireFields(
  where: string,
  value: Json,
  fields: ReadonlySet<string>,
): { readonly [field: string]: Json } {
  const what = where === '' ? '' : `a ${where} that `
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`has ${what}is no object`)
  const unknown = Object.keys(value).find(field => !fields.has(field))
  if (unknown !== undefined)
    throw invalid(
      `has ${what}${where === '' ? '' : 'has '}a field "${unknown}"; known are ${[...fields].join(', ')}`,
    )
  return value as { readonly [field: string]: Json }
}

const invalid = (problem: string): LeaseholdError =>
  new LeaseholdError('process_input_invalid', `The input of kind "session_turn" ${problem}.`)
