import { LeaseholdError } from '../model/errors.ts'
import type { ProcessEventSink } from '../registry/event-sink.ts'
import type { RegistrySource } from '../registry/source.ts'
import type { TieredStore } from './durability.ts'
import type { Engine } from './engine.ts'
import type { EnvironmentStore, SessionPolicy } from './environment.ts'
import { findHostProblems } from './host-problems.ts'
import type { ModelTable, PluginOptions, PluginStack, StopConditionTable, ToolTable } from './plugin.ts'
import type { SessionStore } from './session-store.ts'
import type { WakeSink } from './wake-sink.ts'

/** The user's module: where the truth is kept, and everything that can run. */
export interface Host<Engines extends EngineTable = EngineTable, Tools extends ToolTable = ToolTable> {
  readonly registry: RegistrySource
  readonly engines?: Engines
  readonly tools?: Tools
  /** By name; turns choose one by their policy's `model`. Default: none. */
  readonly models?: ModelTable
  /** By name; turns choose some by their policy's `stopWhen`. Default: none. */
  readonly stopConditions?: StopConditionTable
  /** Made anew for each runtime, in this order. Default: none. */
  readonly plugins?: PluginStack
  /** What plugins get where a start gives no options of its own. Default: none. */
  readonly pluginOptions?: PluginOptions
  /** What turns and captured environments follow where a start gives no policy of its own. Default: empty. */
  readonly policy?: SessionPolicy
  /** Default: all of them in the registry's own database. */
  readonly stores?: HostStores
  /** Hears of the events that are appended in this OS process, once they are committed. Default: none. */
  readonly eventSink?: ProcessEventSink
  /**
   * Takes the wakes: the same in all the host modules of one registry, since any worker delivers any wake. Default: each
   * wake is a turn of its session.
   */
  readonly wakes?: WakeSink
  /** Processes started with it run at hosts of the same profile only. Default: none, and they run anywhere. */
  readonly profileId?: string
  /** Default `keep_all`. */
  readonly residency?: Residency
}

export interface HostStores {
  /** Where the host's own tools keep files, named so that its durability is checked. */
  readonly attachments?: TieredStore
  /** Of hosts that keep artifacts apart from attachments; checked only if there is one. */
  readonly artifacts?: TieredStore
  readonly environments?: EnvironmentStore
  readonly sessions?: SessionStore
  readonly triggers?: TieredStore
}

/** What of a session a turn holds in memory: all its messages, or those from its last summary on. */
export type Residency = 'keep_all' | 'active_path'

// biome-ignore lint/suspicious/noExplicitAny: a table of engines of every input; each one's own types hold at its entry
export type EngineTable = Readonly<Record<string, Engine<any, any, any>>>

/** Checks the whole module once, where it is defined, and returns it. Throws `host_invalid` or `disposition_required`. */
export function defineHost<Engines extends EngineTable, Tools extends ToolTable>(
  host: Host<Engines, Tools>,
): Host<Engines, Tools> {
  return requireHost(host)
}

/** The same checks for a module that JavaScript wrote and no compiler has seen. Names every problem there is. */
export function requireHost<H>(host: H): H {
  const problems = findHostProblems(host)
  const [first] = problems
  if (first === undefined) return host
  const isAllDisposition = problems.every(({ code }) => code === 'disposition_required')
  if (isAllDisposition && problems.length === 1) throw new LeaseholdError(first.code, `${first.text}.`)
  const texts = problems.map(({ text }) => text)
  throw new LeaseholdError('host_invalid', `The host module ${texts.join('; it ')}.`, {
    details: { problems: problems.length },
  })
}
