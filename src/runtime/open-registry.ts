import type { ProcessEventSink } from '../registry/event-sink.ts'
import type { RegistrySource } from '../registry/source.ts'
import { type WatchedRegistry, watchRegistry } from '../registry/watch.ts'
import { type Logger, stderrLogger } from './logger.ts'
import { onSinkProblem } from './sink-problem.ts'

interface Opened {
  readonly registry: Promise<WatchedRegistry>
  users: number
  /** Those of its users' hosts. A sink that several of them bring hears of each event once. */
  readonly sinks: Map<ProcessEventSink, { users: number; readonly stop: () => void }>
}

/** Client and worker of one OS process share a registry, so that what one writes wakes the other at once. */
const opened = new WeakMap<RegistrySource, Opened>()

export interface RegistryLoan {
  readonly registry: WatchedRegistry
  /** May be called twice. The registry is closed when its last user has given it back. */
  release(): Promise<void>
}

export interface LoanOptions {
  /** The host's own. Default: none. */
  readonly eventSink?: ProcessEventSink | undefined
  /** Where the sink's failures are told. Default: standard error. */
  readonly logger?: Logger | undefined
}

export async function borrowRegistry(
  source: RegistrySource,
  { eventSink, logger = stderrLogger }: LoanOptions = {},
): Promise<RegistryLoan> {
  const entry = opened.get(source) ?? { registry: open(source), users: 0, sinks: new Map() }
  opened.set(source, entry)
  entry.users++
  let isReleased = false
  const release = async () => {
    if (isReleased) return
    isReleased = true
    entry.users--
    // The last one's sink still hears of what it appended: closing waits for that.
    if (entry.users > 0) return removeSink(entry, eventSink)
    if (opened.get(source) === entry) opened.delete(source)
    await (await entry.registry).close()
  }
  try {
    const registry = await entry.registry
    addSink(entry, registry, eventSink, logger)
    return { registry, release }
  } catch (error) {
    // What could not be opened is tried anew the next time.
    if (opened.get(source) === entry) opened.delete(source)
    throw error
  }
}

const open = async (source: RegistrySource): Promise<WatchedRegistry> => watchRegistry(await source.open())

function addSink(
  { sinks }: Opened,
  registry: WatchedRegistry,
  sink: ProcessEventSink | undefined,
  logger: Logger,
): void {
  if (sink === undefined) return
  const known = sinks.get(sink)
  if (known !== undefined) {
    known.users++
    return
  }
  const stop = registry.addSink(sink, { onProblem: onSinkProblem(logger) })
  sinks.set(sink, { users: 1, stop })
}

function removeSink({ sinks }: Opened, sink: ProcessEventSink | undefined): void {
  const known = sink && sinks.get(sink)
  if (sink === undefined || known === undefined) return
  known.users--
  if (known.users > 0) return
  known.stop()
  sinks.delete(sink)
}
