import type { Client } from '@temporalio/client'
import { defaultTaskQueue } from '../contract.ts'
import { submissionOf } from '../execution/submit.ts'
import type { LeaseTimings } from '../model/lease.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import { captureEnvironment, registryEnvironments } from '../runtime/environment.ts'
import type { EngineTable, Host } from '../runtime/host.ts'
import { borrowRegistry, type RegistryLoan } from '../runtime/open-registry.ts'
import type { ToolTable } from '../runtime/plugin.ts'
import { type AnyStart, prepareStart, type StartRequest } from '../runtime/start-request.ts'
import { createProcessHandle, type ProcessHandle, type StartedProcess } from './process-handle.ts'
import { TemporalRunHandle } from './temporal-run-handle.ts'

export interface ProcessClientOptions<Engines extends EngineTable, Tools extends ToolTable> {
  readonly host: Host<Engines, Tools>
  readonly temporal: Client
  /** Default: the registry's own queue. Must be the worker's. */
  readonly taskQueue?: string
  /** The workers' lease timings. Default 30 s, renewed every 10 s. */
  readonly leaseTimings?: LeaseTimings
}

export interface ProcessClient<Engines extends EngineTable = EngineTable> extends AsyncDisposable {
  /**
   * Registers the process and hands it to Temporal. Returns when both are done; the process itself goes on. The same id
   * again, with the same kind, input and disposition, returns the existing process (`started: false`).
   * Throws `temporal_unreachable` where only the second half failed: the process is registered, and starts later.
   */
  start(request: StartRequest<Engines>): Promise<StartedProcess>
  /** The same for a start whose kind and input no compiler has seen. */
  startUntyped(request: AnyStart): Promise<StartedProcess>
  /** A handle on a process that exists. No I/O; an unknown id shows at its first use. */
  handle(id: string): ProcessHandle
}

/** Starts processes and follows them. Cheap; its registry is opened at the first use and closed by disposing it. */
export function createProcessClient<Engines extends EngineTable, Tools extends ToolTable>(
  options: ProcessClientOptions<Engines, Tools>,
): ProcessClient<Engines> {
  const { host, temporal } = options
  let connected: Promise<Connected> | undefined
  const connect = (): Promise<Connected> => {
    connected ??= connectTo(options).catch(error => {
      connected = undefined // the next call tries anew
      throw error
    })
    return connected
  }

  async function startUntyped(request: AnyStart): Promise<StartedProcess> {
    const { registry, runHandle } = await connect()
    const { type, record } = await register(host as Host, registry, request)
    const started = type === 'registered'
    // An existing row that never reached Temporal is handed over now; any other is there already.
    const isToSubmit = record.disposition !== 'externally_owned' && record.status === 'running'
    if (isToSubmit && (started || record.externalRef === undefined)) {
      await runHandle.submit(submissionOf(record))
    }
    return { ...createProcessHandle(record.id, connect), started }
  }

  return {
    start: request => startUntyped(request as AnyStart),
    startUntyped,
    handle: id => createProcessHandle(id, connect),
    [Symbol.asyncDispose]: async () => {
      const current = connected
      connected = undefined
      await (await current?.catch(() => undefined))?.release()
    },
  }

  async function connectTo(given: ProcessClientOptions<Engines, Tools>): Promise<Connected> {
    const { registry, release } = await borrowRegistry(host.registry)
    const runHandle = new TemporalRunHandle({
      client: temporal,
      registry,
      taskQueue: given.taskQueue ?? defaultTaskQueue(registry.registryId),
      ...(given.leaseTimings === undefined ? {} : { heartbeatTimeoutMs: given.leaseTimings.ttlMs }),
    })
    return { registry, release, runHandle }
  }
}

/** What a client holds once its registry is open. */
export interface Connected extends RegistryLoan {
  readonly registry: WatchedRegistry
  readonly runHandle: TemporalRunHandle
}

async function register(host: Host, registry: ProcessRegistry, request: AnyStart) {
  const { registration, environment } = await prepareStart(host, request)
  const store = host.stores?.environments ?? registryEnvironments(registry)
  const envRef = environment === undefined ? {} : { envRef: await captureEnvironment(store, environment) }
  return registry.register({ ...registration, ...envRef }, { sameId: 'request' })
}
