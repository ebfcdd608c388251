import { v7 as uuidv7 } from 'uuid'
import { LeaseholdError } from '../model/errors.ts'
import { type Flow, joinFlow } from '../model/flow.ts'
import type { Json } from '../model/json.ts'
import type { Disposition } from '../model/process.ts'
import type { Originator } from '../model/provenance.ts'
import type { RegistrationRequest } from '../model/registration.ts'
import type { SessionScope } from '../model/session-scope.ts'
import type { Engine, RunnableDisposition } from './engine.ts'
import { type ProcessEnvironment, prepareEnvironment } from './environment.ts'
import type { EngineTable, Host } from './host.ts'
import { problemsOfDisposition } from './host-problems.ts'
import { withTools } from './runtime.ts'
import { parseInput, parseToolInput } from './schema.ts'
import type { ToolDefinition } from './tool.ts'
import { findTool } from './tool-call.ts'
import { prepareSessionTurn, type SessionTurnStart } from './turn/prepare.ts'
import { eventTypesOf, type Wakes } from './wakes.ts'

/** What every start may say. */
export interface StartOptions {
  /** Default: a UUIDv7. The same id with the same kind, input and disposition returns the existing process. */
  readonly id?: string
  /**
   * The id may be that of a process that was pruned: a new one begins under it. Default false: such a start throws
   * `process_no_longer_retained`. A process that is still there is returned all the same.
   */
  readonly reuse?: boolean
  /** May only narrow what the kind declares: rerunnable → owner_bound. Tool calls whose tool declares none must state it. */
  readonly disposition?: Disposition
  readonly label?: string
  /** Default: the kind's, else no limit. */
  readonly maxAttempts?: number
  /**
   * How many of a key may run or begin at a time, and who comes first. Default: the kind's; what is said here wins over
   * that, part by part. A start that is repeated changes nothing of it.
   */
  readonly flow?: Flow
  /**
   * The session that starts the process: its originator, the one that its wakes go to, and the first that may address it.
   * Default: none; the host itself starts it. A child has its parent's.
   */
  readonly session?: SessionScope
  /** What wakes that session, type by type in the place of what the kind says. Default: the kind's. */
  readonly wakes?: Wakes
  /**
   * Of a turn: the session that it waits for in line, behind those before it. A child's own id: a session of its own, made
   * where there is none. Default: it is refused while that is busy.
   */
  readonly turnOf?: string
  /** What it leaves out is the host's own. Captured now: later changes of the host do not reach the process. */
  readonly env?: Partial<ProcessEnvironment>
}

/** One start: of an engine by its name, of a tool, of a session's turn, or of work that somebody else owns. */
export type StartRequest<Engines extends EngineTable = EngineTable> =
  | EngineStart<Engines>
  | (StartOptions & {
      readonly kind: 'tool_call'
      readonly input: { readonly tool: string; readonly args: unknown }
    })
  | (StartOptions & { readonly kind: 'session_turn'; readonly input: SessionTurnStart })
  | (StartOptions & { readonly kind: 'external'; readonly input: Json })

type EngineStart<Engines extends EngineTable> = {
  readonly [Kind in keyof Engines & string]: StartOptions & { readonly kind: Kind } & InputField<
      Engines[Kind] extends Engine<infer Input, infer _Parsed, infer _Output> ? Input : never
    >
}[keyof Engines & string]

/** A kind without a schema takes any JSON, and nothing as null. */
type InputField<Input> = unknown extends Input ? { readonly input?: Json } : { readonly input: Input }

/** A start of any kind, as the command line and untyped callers make it. */
export type AnyStart = StartOptions & { readonly kind: string; readonly input?: unknown }

export interface PreparedStart {
  readonly registration: Omit<RegistrationRequest, 'envRef'>
  /** To be captured before the registration; absent for work that never runs here. */
  readonly environment?: ProcessEnvironment
}

/** Checks a start against the host module and makes its registration. Nothing is written. */
export async function prepareStart(host: Host, request: AnyStart): Promise<PreparedStart> {
  const id = request.id ?? uuidv7()
  if (request.kind === 'external') return prepareExternal(host, id, request)
  if (request.kind === 'session_turn') return { registration: await prepareTurn(host, { ...request, id }) }
  const environment = await prepareEnvironment(host, request.env)
  const registration =
    request.kind === 'tool_call'
      ? await prepareToolCall(host, environment, { ...request, id })
      : await prepareEngine(host, environment, { ...request, id })
  return { registration, environment }
}

type Registration = PreparedStart['registration']

async function prepareEngine(
  host: Host,
  environment: ProcessEnvironment,
  request: AnyStart & { readonly id: string },
): Promise<Registration> {
  const { id } = request
  const engines = host.engines ?? {}
  const engine = Object.hasOwn(engines, request.kind) ? engines[request.kind] : undefined
  if (engine === undefined) {
    throw new LeaseholdError(
      'process_kind_unknown',
      `The host has no engine "${request.kind}". It has: ${known(engines)}; and the kinds tool_call, session_turn and external.`,
      { processId: id },
    )
  }
  const payload = await parseInput(`kind "${request.kind}"`, engine.input, request.input)
  const identity = await engine.identify?.(payload, environment)
  return {
    ...common(host, id, request, engine.maxAttempts, flowOf(engine, payload)),
    input: { type: 'engine', kind: request.kind, payload },
    identity: { kind: request.kind, ...identity, ...label(request.label) },
    disposition: narrow(`Kind "${request.kind}"`, engine.disposition, request.disposition),
    eventTypes: eventTypesOf(engine.events, engine.wakes, request.wakes),
  }
}

const flowOf = ({ flow }: EngineTable[string], payload: Json): Flow | undefined =>
  typeof flow === 'function' ? flow(payload) : flow

async function prepareToolCall(
  host: Host,
  environment: ProcessEnvironment,
  request: AnyStart & { readonly id: string },
): Promise<Registration> {
  const { id } = request
  const { tool: toolName, args } = (request.input ?? {}) as { tool?: unknown; args?: unknown }
  return withTools(host, environment, async tools => {
    const definition = typeof toolName === 'string' ? findTool(tools, { toolName }) : undefined
    if (typeof toolName !== 'string' || definition === undefined) {
      throw new LeaseholdError(
        'process_tool_unknown',
        `The host has no tool ${JSON.stringify(toolName) ?? '(none named)'}. A tool_call's input is { tool, args }; the host has: ${known(tools)}.`,
        { processId: id },
      )
    }
    const parsed = await parseToolInput(`tool "${toolName}"`, definition.tool.inputSchema, args ?? {})
    const call = { callId: id, toolId: definition.id ?? toolName, toolName, args: parsed }
    return {
      ...common(host, id, request),
      input: { type: 'tool_call', call: { ...call, ...(await prepared(definition, parsed)) } },
      identity: { kind: 'tool', label: request.label ?? toolName },
      disposition: narrow(`Tool "${toolName}"`, definition.disposition, request.disposition),
      eventTypes: eventTypesOf(definition.events, definition.wakes, request.wakes),
    }
  })
}

/** What the tool wants to have done once, whatever becomes of the attempts. */
async function prepared({ prepare }: ToolDefinition, args: Json): Promise<{ readonly prepared?: Json }> {
  if (prepare === undefined) return {}
  return { prepared: await (prepare as (input: Json) => Json | Promise<Json>)(args) }
}

/** Its policy and options stand in its own request, so no environment is captured beside it. */
async function prepareTurn(host: Host, request: AnyStart & { readonly id: string }): Promise<Registration> {
  const input = await prepareSessionTurn(host, request.input, request.env)
  const { subagent, usageSource, sessionId } = input.createRequest
  return {
    ...common(host, request.id, request),
    input,
    identity: {
      kind: 'session_turn',
      ...label(request.label ?? subagent?.capability ?? usageSource ?? sessionId),
    },
    disposition: narrow('Kind "session_turn"', undefined, request.disposition),
    eventTypes: eventTypesOf({}, request.wakes),
  }
}

async function prepareExternal(host: Host, id: string, request: AnyStart): Promise<PreparedStart> {
  if (request.disposition !== undefined && request.disposition !== 'externally_owned') {
    throw notNarrower('Kind "external"', 'externally_owned', request.disposition)
  }
  const metadata = await parseInput('kind "external"', undefined, request.input)
  const identity = request.label === undefined ? {} : { identity: { kind: 'external', label: request.label } }
  return {
    registration: {
      ...common(host, id, request),
      ...identity,
      input: { type: 'external', metadata },
      disposition: 'externally_owned',
      eventTypes: eventTypesOf({}, request.wakes),
    },
  }
}

const common = (host: Host, id: string, request: AnyStart, kindsMaxAttempts?: number, kindsFlow?: Flow) => {
  const profile = host.profileId === undefined ? {} : { hostProfileId: host.profileId }
  const maxAttempts = request.maxAttempts ?? kindsMaxAttempts
  const flow = joinFlow(kindsFlow, request.flow)
  return {
    id,
    provenance: { originator: originatorOf(request), ...profile },
    ...(request.session === undefined ? {} : { wakeTarget: request.session }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(flow === undefined ? {} : { flow }),
  }
}

const originatorOf = ({ session }: AnyStart): Originator =>
  session === undefined ? { type: 'host' } : { type: 'session', scope: session }

const label = (text: string | undefined) => (text === undefined ? {} : { label: text })

function narrow(
  what: string,
  declared: RunnableDisposition | undefined,
  stated: Disposition | undefined,
): Disposition {
  if (declared === undefined) {
    const [problem] = problemsOfDisposition(what, stated)
    if (problem !== undefined) throw new LeaseholdError(problem.code, `${problem.text}.`)
    return stated as RunnableDisposition
  }
  if (stated === undefined || stated === declared) return declared
  if (declared === 'rerunnable' && stated === 'owner_bound') return stated
  throw notNarrower(what, declared, stated)
}

const notNarrower = (what: string, declared: Disposition, stated: Disposition): LeaseholdError =>
  new LeaseholdError(
    'disposition_not_narrower',
    `${what} is ${declared}; a start may only narrow rerunnable to owner_bound, and this one asks for ${stated}.`,
  )

const known = (table: object): string => Object.keys(table).join(', ') || 'none'
