import { isLeaseholdError, LeaseholdError } from '../../model/errors.ts'
import type { WakeSpec } from '../../model/event-semantics.ts'
import { asJson, fromJson, hashJson, type Json } from '../../model/json.ts'
import { type Outcome, TERMINAL_STATUSES } from '../../model/outcome.ts'
import { toolResultOf, toolResultOfPruned } from '../../model/tool-result.ts'
import { findSchemaProblem } from '../../registry/json-schema.ts'
import type { SessionPolicy } from '../environment.ts'
import type { ToolTable } from '../plugin.ts'
import { ProcessFailure } from '../process-failure.ts'
import { defineTool, type OrchestrateCall, type ToolDefinition } from '../tool.ts'
import { loadSdk } from '../turn/sdk.ts'
import type { Wakes } from '../wakes.ts'

/** A kind of helper that a model may start. */
export interface SubAgent {
  /** When to start it: the model is told. */
  readonly description: string
  /** What its turns follow; what it leaves out is not the parent's, but a turn's default. Default: the host's policy. */
  readonly policy?: SessionPolicy
}

/**
 * Tools by which a model starts, awaits, cancels and messages sub-agents: each a session of its own, whose turns are
 * durable processes. They outlive the parent's attempts, and are started once whatever becomes of those.
 */
export async function subAgents(agents: Readonly<Record<string, SubAgent>>): Promise<ToolTable> {
  const { jsonSchema } = await loadSdk()
  const names = Object.keys(agents)
  const wrong = names.find(name => !/^[\w-]+$/.test(name))
  if (wrong !== undefined) {
    throw new LeaseholdError(
      'host_invalid',
      `The sub-agent ${JSON.stringify(wrong)} needs a name of letters, digits, "_" and "-", for it stands in ids.`,
    )
  }
  const list = Object.entries(agents).map(([name, { description }]) => `${name}: ${description}`)
  const tool = (description: string, properties: Properties, run: Orchestrate) => {
    const required = Object.keys(properties).filter(name => !OPTIONAL.has(name))
    const schema = { type: 'object', properties, required, additionalProperties: false } as const
    // The schema is ours; its type is that of any JSON Schema.
    const inputSchema = jsonSchema(schema as Parameters<typeof jsonSchema>[0])
    const execute = () => {
      throw new Error('a tool for sub-agents runs in a process only')
    }
    const orchestrate: Orchestrate = async (args, call) => {
      // The AI SDK checks no plain JSON Schema.
      const problem = findSchemaProblem(schema, args)
      if (problem !== undefined) throw refused(`The arguments do not fit: ${problem}.`)
      return run(args, call)
    }
    return defineTool({ description, inputSchema, execute }, { orchestrate })
  }
  return {
    start_agent: tool(
      `Starts a sub-agent that works by itself, and returns its id at once. With notify, this session is told when it has ended; else await it. ${list.join(' ')}`,
      { agent: { type: 'string', enum: names }, task: TEXT, notify: { type: 'boolean' } },
      (args, call) => startAgent(agents, fromJson<StartArgs>(args), call),
    ),
    await_agents: tool(
      'Waits until these sub-agents have ended, and returns what each came to. With timeoutSeconds, those that have not ended by then are said to be running.',
      { ids: { type: 'array', items: TEXT }, timeoutSeconds: { type: 'number', minimum: 0 } },
      (args, call) => awaitAgents(fromJson<AwaitArgs>(args), call),
    ),
    cancel_agent: tool('Asks a sub-agent to stop.', { id: TEXT, reason: TEXT }, (args, call) =>
      cancelAgent(fromJson<CancelArgs>(args), call),
    ),
    message_agent: tool(
      'Says something more to a sub-agent, while it works or after. Returns the id to await for the answer.',
      { id: TEXT, text: TEXT },
      (args, call) => messageAgent(agents, fromJson<MessageArgs>(args), call),
    ),
  }
}

type Orchestrate = NonNullable<ToolDefinition['orchestrate']>
type Properties = { readonly [name: string]: Json }

const TEXT = { type: 'string' } as const
const OPTIONAL: ReadonlySet<string> = new Set(['notify', 'timeoutSeconds', 'reason'])

interface StartArgs {
  readonly agent: string
  readonly task: string
  readonly notify?: boolean
}

interface AwaitArgs {
  readonly ids: readonly string[]
  readonly timeoutSeconds?: number
}

interface CancelArgs {
  readonly id: string
  readonly reason?: string
}

interface MessageArgs {
  readonly id: string
  readonly text: string
}

/** The session is told of each way to end, in the words of the outcome. Silence wakes it in any case. */
const wakesOf = (agent: string): Wakes =>
  Object.fromEntries(
    TERMINAL_STATUSES.map((status): [string, WakeSpec] => [
      `process.${status}`,
      {
        input: {
          template: `Sub-agent "{agent}" has ended as ${status}: {outcome}`,
          fields: { agent: { const: agent }, outcome: { pointer: '/await_output' } },
        },
      },
    ]),
  )

async function startAgent(
  agents: Readonly<Record<string, SubAgent>>,
  { agent, task, notify = false }: StartArgs,
  { ctx, callId, family }: OrchestrateCall,
): Promise<Json> {
  const known = Object.hasOwn(agents, agent) ? agents[agent] : undefined
  if (known === undefined) throw refused(`There is no sub-agent "${agent}".`)
  const id = idOf(agent, { ctx, callId, family })
  await ctx.start(
    {
      kind: 'session_turn',
      id,
      disposition: 'rerunnable',
      label: agent,
      turnOf: id,
      input: { prompt: task, session: sessionOf(id, known) },
      ...(notify ? { wakes: wakesOf(agent) } : {}),
    },
    { key: callId },
  )
  return { id }
}

async function awaitAgents(
  { ids, timeoutSeconds }: AwaitArgs,
  { ctx, callId, family }: OrchestrateCall,
): Promise<Json> {
  for (const id of ids) requireOwn(id, family)
  const timeout = timeoutSeconds === undefined ? {} : { timeout: Math.round(timeoutSeconds * 1_000) }
  const results = await Promise.all(
    [...new Set(ids)].map(async (id, index) => {
      const ended = ctx.outcomeOf(id, { key: `${callId}.${index}`, ...timeout })
      return { id, result: await ended.then(resultOf, resultOfGone) }
    }),
  )
  return results
}

const resultOf = (outcome: Outcome | undefined): Json =>
  outcome === undefined ? { type: 'running' } : asJson(toolResultOf(outcome))

/** Of one that was pruned, or that nothing is known of any more: that says nothing of the others. */
function resultOfGone(error: unknown): Json {
  if (!isLeaseholdError(error, 'step_failed')) throw error
  const { errorCode, status: told, prunedAtMs } = error.details
  const status = TERMINAL_STATUSES.find(known => known === told)
  if (errorCode === 'process_no_longer_retained' && status !== undefined && typeof prunedAtMs === 'number')
    return asJson(toolResultOfPruned({ status, prunedAtMs }))
  if (errorCode !== 'process_unknown') throw error
  return { type: 'failure', class: 'external', code: errorCode, message: error.message }
}

async function cancelAgent({ id, reason }: CancelArgs, { ctx, family }: OrchestrateCall): Promise<Json> {
  requireOwn(id, family)
  await ctx.handle(id).cancel(reason)
  return { id, cancelled: 'requested' }
}

/** A turn in the sub-agent's session, in line there: its policy says what becomes of it while it works. */
async function messageAgent(
  agents: Readonly<Record<string, SubAgent>>,
  { id, text }: MessageArgs,
  { ctx, callId, family }: OrchestrateCall,
): Promise<Json> {
  const agent = requireOwn(id, family)
  const known = Object.hasOwn(agents, agent) ? agents[agent] : undefined
  if (known === undefined) throw refused(`There is no sub-agent "${agent}" any more.`)
  const turnId = idOf(agent, { ctx, callId, family })
  await ctx.start(
    {
      kind: 'session_turn',
      id: turnId,
      disposition: 'rerunnable',
      label: agent,
      turnOf: id,
      input: { prompt: text, session: sessionOf(id, known) },
    },
    { key: callId },
  )
  return { id: turnId }
}

const sessionOf = (sessionId: string, { policy }: SubAgent) => ({
  sessionId,
  ...(policy === undefined ? {} : { policy }),
})

/** As long for the agent of an agent as for the first: ids have a limit, and the record knows whose child it is. */
const idOf = (agent: string, { ctx, callId, family }: OrchestrateCall): string =>
  `${prefixOf(family)}${agent}.${shortHash([ctx.id, callId])}`

/** Of the ids that agents of one session, or of one process without a session, give to those they start; no other's. */
const prefixOf = (family: string): string => `agent:${shortHash(family)}:`

const shortHash = (value: Json): string => hashJson(value).slice(0, 24)

/** Returns which agent it is. What others have started is not the model's to see or to stop. */
function requireOwn(id: string, family: string): string {
  const prefix = prefixOf(family)
  if (id.startsWith(prefix)) return id.slice(prefix.length).split('.')[0] ?? ''
  throw refused(`"${id}" is none of the sub-agents that were started here.`)
}

const refused = (message: string): ProcessFailure => new ProcessFailure('process_tool_failed', message)
