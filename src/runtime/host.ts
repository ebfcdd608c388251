import { LeaseholdError } from '../model/errors.ts'
import { MAX_EVENT_TYPE_LENGTH } from '../model/event.ts'
import { DISPOSITIONS } from '../model/process.ts'
import type { RegistrySource } from '../registry/source.ts'
import type { Engine } from './engine.ts'
import { isSchema } from './schema.ts'
import { type Tool, type ToolDefinition, toolDefinition } from './tool.ts'

/** The user's module: where the truth is kept, and everything that can run. */
export interface Host<Engines extends EngineTable = EngineTable, Tools extends ToolTable = ToolTable> {
  readonly registry: RegistrySource
  readonly engines?: Engines
  readonly tools?: Tools
}

// biome-ignore lint/suspicious/noExplicitAny: a table of engines of every input; each one's own types hold at its entry
export type EngineTable = Readonly<Record<string, Engine<any, any, any>>>
export type ToolTable = Readonly<Record<string, Tool | ToolDefinition>>

/** Kinds that are not engines: an engine of that name could never be started. */
const RESERVED_KINDS: ReadonlySet<string> = new Set(['tool_call', 'session_turn', 'external', 'tool'])

/** Checks the whole module once, where it is defined, and returns it. Throws `host_invalid` or `disposition_required`. */
export function defineHost<Engines extends EngineTable, Tools extends ToolTable>(
  host: Host<Engines, Tools>,
): Host<Engines, Tools> {
  return requireHost(host)
}

/** The same checks for a module that JavaScript wrote and no compiler has seen. */
export function requireHost<H>(host: H): H {
  if (typeof host !== 'object' || host === null) {
    throw invalid(
      'is not an object. Export the result of defineHost({ registry, engines, tools }) as default',
    )
  }
  const { registry, engines = {}, tools = {} } = host as Partial<Host>
  if (typeof registry?.open !== 'function') {
    throw invalid('has no registry. Set registry to sqliteRegistry({ path })')
  }
  for (const [kind, engine] of Object.entries(engines)) requireEngine(kind, engine)
  for (const [name, entry] of Object.entries(tools)) requireTool(name, entry)
  return host
}

function requireEngine(kind: string, engine: unknown): void {
  const { disposition, input, events = {}, run } = (engine ?? {}) as Partial<Engine>
  if (kind.trim() === '' || RESERVED_KINDS.has(kind))
    throw invalid(`names an engine "${kind}", which is reserved or blank`)
  if (typeof run !== 'function') throw invalid(`has an engine "${kind}" without a run function`)
  requireDisposition(`Engine "${kind}"`, disposition)
  if (input !== undefined && !isSchema(input)) {
    throw invalid(`has an engine "${kind}" whose input is not a Standard Schema (zod, valibot, arktype, …)`)
  }
  for (const eventType of Object.keys(events)) {
    if (
      eventType.trim() === '' ||
      eventType.length > MAX_EVENT_TYPE_LENGTH ||
      eventType.startsWith('process.')
    ) {
      throw invalid(
        `has an engine "${kind}" with event type "${eventType.slice(0, 80)}": names are 1 to ${MAX_EVENT_TYPE_LENGTH} characters and do not begin with "process."`,
      )
    }
  }
}

function requireTool(name: string, entry: unknown): void {
  const definition = typeof entry === 'object' && entry !== null ? toolDefinition(entry as Tool) : undefined
  if (typeof definition?.tool?.execute !== 'function')
    throw invalid(`has a tool "${name}" without an execute function`)
  if (definition.disposition !== undefined) requireDisposition(`Tool "${name}"`, definition.disposition)
}

/** Required, and one that can run here; there is no default, because only the author knows what a second run would do. */
export function requireDisposition(what: string, disposition: unknown): void {
  if (disposition === 'rerunnable' || disposition === 'owner_bound') return
  const isKnown = DISPOSITIONS.some(known => known === disposition)
  throw new LeaseholdError(
    'disposition_required',
    `${what} ${isKnown ? `cannot be ${disposition}: that is for kind "external"` : 'states no disposition'}. State 'rerunnable' if another worker may run it again after a crash, or 'owner_bound' if nobody may.`,
  )
}

const invalid = (problem: string): LeaseholdError =>
  new LeaseholdError('host_invalid', `The host module ${problem}.`)
