import { randomUUID } from 'node:crypto'
import {
  DEFAULT_LEASE_TIMINGS,
  type LeaseOwner,
  type LeaseTimings,
  requireLeaseTimings,
} from '../model/lease.ts'
import { timerMs } from '../model/timer.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import type { FacetStores } from '../runtime/durability.ts'
import {
  type EnvironmentStore,
  registryEnvironments,
  rememberedEnvironments,
} from '../runtime/environment.ts'
import { type ExecutionHost, inlineExecutionHost } from '../runtime/execution-host.ts'
import type { Host } from '../runtime/host.ts'
import { type Logger, stderrLogger, withFields } from '../runtime/logger.ts'
import type { PhaseProbes } from '../runtime/phase-probe.ts'
import { registrySessions, type SessionStore } from '../runtime/session-store.ts'
import { createInstruments, type Instruments } from '../telemetry/metrics.ts'
import { localLiveness, type RegistryReach } from './liveness.ts'
import type { Submission } from './submit.ts'
import { WorkingSlots } from './working-slots.ts'

/** What every attempt of one worker shares. */
export interface ExecutionEnvironment {
  readonly host: Host
  readonly registry: WatchedRegistry
  readonly executionHost: ExecutionHost
  readonly environments: EnvironmentStore
  readonly sessions: SessionStore
  /** The stores whose durability each attempt is checked against. */
  readonly facets: FacetStores
  readonly probes?: PhaseProbes
  readonly worker: LeaseOwner
  readonly timings: LeaseTimings
  readonly parkGraceMs: number
  readonly stopBoundMs: number
  readonly forceGraceMs: number
  readonly slots: WorkingSlots
  /** Hands a process to its backend. Absent: the workers find what is due on the registry's worklist. */
  readonly submit?: (process: Submission) => Promise<void>
  readonly logger: Logger
  readonly instruments: Instruments
}

export interface ExecutionOptions {
  /** Processes that may work in this worker at a time; one that only waits does not count. Default 64. */
  readonly concurrency?: number
  /** Default: one that ends with its OS process; a worker on Temporal has a durable one. */
  readonly executionHost?: ExecutionHost
  /** Watches turns, by the session that hears of them. Default: none. */
  readonly probes?: PhaseProbes
  /** Default: this OS process, so that a crash can be proven. */
  readonly worker?: LeaseOwner
  /** Default 30 s, renewed every 10 s. */
  readonly leaseTimings?: LeaseTimings
  /** How long a process only waits before its attempt ends until the wait is over. Default 2,000 ms. */
  readonly parkGraceMs?: number
  /** How long code may go on after its signal fired for a lost lease or a shutdown. Default 5,000 ms. */
  readonly stopBoundMs?: number
  /** How long code may go on after a forced cancel, before its attempt ends without it. Default 5,000 ms. */
  readonly forceGraceMs?: number
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly logger?: Logger
}

export function createExecutionEnvironment(
  host: Host,
  registry: WatchedRegistry,
  options: ExecutionOptions = {},
): ExecutionEnvironment {
  const {
    concurrency = 64,
    leaseTimings = DEFAULT_LEASE_TIMINGS,
    parkGraceMs = 2_000,
    stopBoundMs = 5_000,
    forceGraceMs = 5_000,
    logger = stderrLogger,
    executionHost = inlineExecutionHost,
    probes,
  } = options
  const environments = rememberedEnvironments(host.stores?.environments ?? registryEnvironments(registry))
  const sessions = host.stores?.sessions ?? registrySessions(registry)
  const worker = options.worker ?? localWorker(registry)
  return {
    host,
    registry,
    executionHost,
    environments,
    sessions,
    facets: facetsOf(host, registry, { environments, sessions }),
    ...(probes === undefined ? {} : { probes }),
    worker,
    timings: requireLeaseTimings(leaseTimings),
    parkGraceMs: timerMs(parkGraceMs),
    stopBoundMs: timerMs(stopBoundMs),
    forceGraceMs: timerMs(forceGraceMs),
    slots: new WorkingSlots(concurrency),
    logger: withFields(logger, { workerId: worker.ownerId }),
    instruments: createInstruments(),
  }
}

/** What the host does not bring itself is in the registry, and as durable as that. */
const facetsOf = (
  { stores = {} }: Host,
  registry: WatchedRegistry,
  { environments, sessions }: Pick<ExecutionEnvironment, 'environments' | 'sessions'>,
): FacetStores => ({
  attachment_store: stores.attachments ?? registry,
  artifact_store: stores.artifacts,
  process_env_store: environments,
  session_store: sessions,
  process_registry: registry,
  trigger_store: stores.triggers ?? registry,
})

/** One life of this OS process as a worker, by name. */
export function newWorkerName(): Pick<LeaseOwner, 'ownerId' | 'incarnationId'> {
  const incarnationId = randomUUID()
  return { ownerId: `worker:${process.pid}:${incarnationId.slice(0, 8)}`, incarnationId }
}

/** The same, with what others on its host can judge it by. */
export const localWorker = (registry: RegistryReach, name = newWorkerName()): LeaseOwner => ({
  ...name,
  liveness: localLiveness(registry),
})
