import { MAX_EVENT_TYPE_LENGTH } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import { DISPOSITIONS } from '../model/process.ts'
import { findUnusableSchema } from '../registry/json-schema.ts'
import type { Engine } from './engine.ts'
import type { Host } from './host.ts'
import { flattenPlugins, type PluginStack } from './plugin.ts'
import { isSchema } from './schema.ts'
import { type Tool, toolDefinition } from './tool.ts'
import { isCoreEventType } from './wakes.ts'

/** In words that follow "The host module", or stand alone for a disposition. */
export interface HostProblem {
  readonly code: 'host_invalid' | 'disposition_required'
  readonly text: string
}

/** Kinds that are not engines: an engine of that name could never be started. */
const RESERVED_KINDS: ReadonlySet<string> = new Set(['tool_call', 'session_turn', 'external', 'tool'])

/** Everything that is wrong with the module, so that one look tells all that there is to correct. */
export function findHostProblems(host: unknown): readonly HostProblem[] {
  if (typeof host !== 'object' || host === null) {
    return [
      invalid('is not an object. Export the result of defineHost({ registry, engines, tools }) as default'),
    ]
  }
  const { registry, eventSink, wakes, engines = {}, tools = {} } = host as Partial<Host>
  const { models = {}, stopConditions = {}, plugins = [] } = host as Partial<Host>
  return [
    ...(typeof registry?.open === 'function'
      ? []
      : [invalid('has no registry. Set registry to sqliteRegistry({ path })')]),
    ...(eventSink === undefined || typeof eventSink.emit === 'function'
      ? []
      : [invalid('has an event sink without an emit function')]),
    ...(wakes === undefined || typeof wakes.deliver === 'function'
      ? []
      : [invalid('has a sink for wakes without a deliver function')]),
    ...Object.entries(engines).flatMap(([kind, engine]) => problemsOfEngine(kind, engine)),
    ...Object.entries(tools).flatMap(([name, entry]) => problemsOfTool(name, entry)),
    ...Object.entries(models).flatMap(([name, model]) => problemsOfModel(name, model)),
    ...Object.entries(stopConditions)
      .filter(([, condition]) => typeof condition !== 'function')
      .map(([name]) => invalid(`has a stop condition "${name}" that is no function`)),
    ...problemsOfPlugins(plugins),
  ]
}

function problemsOfEngine(kind: string, engine: unknown): readonly HostProblem[] {
  const { disposition, input, events = {}, wakes = {}, run } = (engine ?? {}) as Partial<Engine>
  const isReserved = kind.trim() === '' || RESERVED_KINDS.has(kind)
  const isNoSchema = input !== undefined && !isSchema(input)
  return [
    ...(isReserved ? [invalid(`names an engine "${kind}", which is reserved or blank`)] : []),
    ...(typeof run === 'function' ? [] : [invalid(`has an engine "${kind}" without a run function`)]),
    ...problemsOfDisposition(`Engine "${kind}"`, disposition),
    ...(isNoSchema
      ? [invalid(`has an engine "${kind}" whose input is not a Standard Schema (zod, valibot, arktype, …)`)]
      : []),
    ...Object.entries(events).flatMap(event => problemsOfEventType(kind, event)),
    ...Object.keys(wakes)
      .filter(name => !Object.hasOwn(events, name) && !isCoreEventType(name))
      .map(name => invalid(`has an engine "${kind}" that wakes by "${name}", which it does not declare`)),
  ]
}

function problemsOfEventType(
  kind: string,
  [eventType, schema]: readonly [name: string, schema: Json],
): readonly HostProblem[] {
  const which = `has an engine "${kind}" with event type "${eventType.slice(0, 80)}"`
  const isUsable =
    eventType.trim() !== '' && eventType.length <= MAX_EVENT_TYPE_LENGTH && !eventType.startsWith('process.')
  const misnamed = `${which}: names are 1 to ${MAX_EVENT_TYPE_LENGTH} characters and do not begin with "process."`
  const problem = findUnusableSchema(schema)
  return [
    ...(isUsable ? [] : [invalid(misnamed)]),
    ...(problem === undefined ? [] : [invalid(`${which}, whose JSON Schema ${problem}`)]),
  ]
}

function problemsOfTool(name: string, entry: unknown): readonly HostProblem[] {
  const definition = typeof entry === 'object' && entry !== null ? toolDefinition(entry as Tool) : undefined
  if (typeof definition?.tool?.execute !== 'function')
    return [invalid(`has a tool "${name}" without an execute function`)]
  return definition.disposition === undefined
    ? []
    : problemsOfDisposition(`Tool "${name}"`, definition.disposition)
}

function problemsOfModel(name: string, model: unknown): readonly HostProblem[] {
  const isModel =
    typeof model === 'string' || (typeof model === 'object' && model !== null && 'doGenerate' in model)
  return isModel ? [] : [invalid(`has a model "${name}" that is no language model of the AI SDK`)]
}

function problemsOfPlugins(plugins: unknown): readonly HostProblem[] {
  if (!Array.isArray(plugins)) return [invalid('has plugins that are no list. Write plugins: [one, another]')]
  const isStack = (entry: unknown): boolean =>
    Array.isArray(entry) ? entry.every(isStack) : typeof entry === 'function'
  if (!isStack(plugins))
    return [
      invalid('has a plugin that is no function. Each is a function (options) → { tools, models, hooks }'),
    ]
  const names = flattenPlugins(plugins as PluginStack).map(({ name }) => name)
  const twice = new Set(names.filter((name, index) => name !== '' && names.indexOf(name) !== index))
  return [
    ...(names.includes('')
      ? [invalid('has a plugin without a name. Write a named function, or definePlugin(name, create)')]
      : []),
    ...[...twice].map(name =>
      invalid(`has two plugins named "${name}", which options and errors could not tell apart`),
    ),
  ]
}

/** Required, and one that can run here; there is no default, because only the author knows what a second run would do. */
export function problemsOfDisposition(what: string, disposition: unknown): readonly HostProblem[] {
  if (disposition === 'rerunnable' || disposition === 'owner_bound') return []
  const isKnown = DISPOSITIONS.some(known => known === disposition)
  return [
    {
      code: 'disposition_required',
      text: `${what} ${isKnown ? `cannot be ${disposition}: that is for kind "external"` : 'states no disposition'}. State 'rerunnable' if another worker may run it again after a crash, or 'owner_bound' if nobody may`,
    },
  ]
}

const invalid = (text: string): HostProblem => ({ code: 'host_invalid', text })
