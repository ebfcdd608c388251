import type { Client } from '@temporalio/client'
import { defaultTaskQueue } from '../contract.ts'
import type { ApprovalCall, VoteRequest } from '../model/approval.ts'
import { LeaseholdError } from '../model/errors.ts'
import type { ForkRequest } from '../model/fork.ts'
import type { LeaseTimings } from '../model/lease.ts'
import type { ToolCallAnswer } from '../model/pending-call.ts'
import type { RegistrationRequest } from '../model/registration.ts'
import { findApproval } from '../registry/find-approval.ts'
import type { HostTransaction } from '../registry/host-transaction.ts'
import type { RegisterOptions } from '../registry/registry.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import {
  captureEnvironment,
  type EnvironmentStore,
  registryEnvironments,
  sparinglyPut,
} from '../runtime/environment.ts'
import type { EngineTable, Host } from '../runtime/host.ts'
import { borrowRegistry } from '../runtime/open-registry.ts'
import type { ToolTable } from '../runtime/plugin.ts'
import { type AnyStart, prepareStart, type StartRequest } from '../runtime/start-request.ts'
import type { ClientBackend } from './backend.ts'
import type { Connected } from './connected.ts'
import { createInlineBackend } from './inline-backend.ts'
import { createProcessHandle, type ProcessHandle, type StartedProcess } from './process-handle.ts'
import { createSessionHandle, type SessionHandle } from './session-handle.ts'
import { tracedStart } from './traced-start.ts'
import { createTriggerClient, type TriggerClient } from './triggers.ts'

export interface ProcessClientOptions<Engines extends EngineTable, Tools extends ToolTable> {
  readonly host: Host<Engines, Tools>
  /** Without it processes run inline: in the inline workers of this OS process, or of others on the same registry. */
  readonly temporal?: Client
  /** Default: the registry's own queue. Must be the worker's. */
  readonly taskQueue?: string
  /** The workers' lease timings. Default 30 s, renewed every 10 s. */
  readonly leaseTimings?: LeaseTimings
}

export interface ProcessClient<Engines extends EngineTable = EngineTable> extends AsyncDisposable {
  /**
   * Registers the process and hands it to its workers. Returns when both are done; the process itself goes on. The same id
   * again, with the same kind, input and disposition, returns the existing process (`started: false`).
   * Throws `temporal_unreachable` where only the second half failed: the process is registered, and starts later.
   */
  start(request: StartRequest<Engines>): Promise<StartedProcess>
  /**
   * Registers the process inside a transaction of the host's own, in the registry's PostgreSQL database: it starts once
   * that is committed, submitted by a running worker, and never was if that is rolled back. Its environment, shared and
   * addressed by its content, is stored beforehand. Until the commit its handle finds nothing (`process_unknown`).
   * Throws as `registerIn` of the registry does.
   */
  startIn(tx: HostTransaction, request: StartRequest<Engines>): Promise<StartedProcess>
  /** `start` for a request whose kind and input no compiler has seen. */
  startUntyped(request: AnyStart): Promise<StartedProcess>
  /**
   * Answers a tool call that was left pending under this key. The same answer again changes nothing. Throws
   * `tool_call_unknown`, `tool_call_answered` (it has another), `tool_call_expired` or `process_already_terminal`.
   */
  completeToolCall(key: string, answer: ToolCallAnswer): Promise<void>
  /** Calls that wait for people to allow them, the longest waiting first. */
  approvals(options?: { readonly processId?: string; readonly limit?: number }): Promise<ApprovalCall[]>
  /**
   * One person's word on a call that waits for it, named by its id, or by its approval's key. A no after a yes holds as
   * long as the call is not being made. Throws `tool_call_unknown`, `tool_call_answered`, `tool_call_expired`,
   * `approval_mismatch` or `process_already_terminal`.
   */
  answerApproval(processId: string, call: string, vote: VoteRequest): Promise<void>
  /**
   * Starts a new process that does the same as this one from a step on, with the journal before it (`registry.fork`). The
   * workers find it due.
   */
  fork(id: string, request: ForkRequest): Promise<StartedProcess>
  /** A session by its id. No I/O. */
  session(id: string): SessionHandle
  /** Standing orders by event and by schedule. */
  readonly triggers: TriggerClient
  /** A handle on a process that exists. No I/O; an unknown id shows at its first use. */
  handle(id: string): ProcessHandle
}

/**
 * Starts processes and follows them. Cheap; its registry is opened at the first use and closed by disposing it. After
 * that every call of the client, and of what it has handed out, throws `registry_closed`.
 */
export function createProcessClient<Engines extends EngineTable, Tools extends ToolTable>(
  options: ProcessClientOptions<Engines, Tools>,
): ProcessClient<Engines> {
  const { host } = options
  let connected: Promise<Connected> | undefined
  let isDisposed = false
  const connect = async (): Promise<Connected> => {
    if (isDisposed) throw disposed(host.registry.description)
    connected ??= connectTo(options).catch(error => {
      connected = undefined // the next call tries anew
      throw error
    })
    return connected
  }

  async function startUntyped(request: AnyStart): Promise<StartedProcess> {
    const { environments, backend } = await connect()
    return tracedStart(request.kind, async traceparent => {
      const registration = await prepareRegistration(host as Host, environments, request)
      const { type, record, ended } = await backend.start(registration, optionsOf(request, traceparent))
      const started = type === 'registered'
      return { ...createProcessHandle(record.id, connect, ended), started }
    })
  }

  async function startIn(tx: HostTransaction, request: AnyStart): Promise<StartedProcess> {
    const { registry, environments } = await connect()
    return tracedStart(request.kind, async traceparent => {
      const { type, record } = await registry.registerIn(
        tx,
        await prepareRegistration(host as Host, environments, request),
        optionsOf(request, traceparent),
      )
      return { ...createProcessHandle(record.id, connect), started: type === 'registered' }
    })
  }

  return {
    start: request => startUntyped(request as AnyStart),
    startIn: (tx, request) => startIn(tx, request as AnyStart),
    startUntyped,
    completeToolCall: async (key, answer) => {
      const { registry, backend } = await connect()
      const { record, isDue } = await registry.completeToolCall(key, answer)
      if (isDue) await backend.tellDue(record)
    },
    approvals: async options => (await connect()).registry.openApprovals(options),
    answerApproval: async (id, call, vote) => {
      const { registry, backend } = await connect()
      const { key } = await findApproval(registry, id, call)
      const { record, isDue } = await registry.vote(key, vote)
      if (isDue) await backend.tellDue(record)
    },
    fork: async (id, request) => {
      const { registry } = await connect()
      const { type, record } = await registry.fork(id, request)
      return { ...createProcessHandle(record.id, connect), started: type === 'registered' }
    },
    session: id => createSessionHandle(id, host as Host, connect),
    triggers: createTriggerClient(host as Host, async () => (await connect()).registry),
    handle: id => createProcessHandle(id, connect),
    [Symbol.asyncDispose]: async () => {
      isDisposed = true
      const current = connected
      connected = undefined
      await (await current?.catch(() => undefined))?.release()
    },
  }

  async function connectTo(given: ProcessClientOptions<Engines, Tools>): Promise<Connected> {
    const { registry, release } = await borrowRegistry(host.registry, { eventSink: host.eventSink })
    const environments = sparinglyPut(host.stores?.environments ?? registryEnvironments(registry))
    return { registry, release, environments, backend: await createBackend(registry, given) }
  }
}

const disposed = (description: string): LeaseholdError =>
  new LeaseholdError(
    'registry_closed',
    `This client of the registry ${description} was disposed of, and its registry closed. Make another with createProcessClient, or dispose of this one later.`,
    { details: { registry: description } },
  )

async function createBackend<Engines extends EngineTable, Tools extends ToolTable>(
  registry: WatchedRegistry,
  { temporal, taskQueue, leaseTimings }: ProcessClientOptions<Engines, Tools>,
): Promise<ClientBackend> {
  if (temporal === undefined) return createInlineBackend(registry)
  // Loaded late: a program that runs everything inline needs no package of Temporal's.
  const { TemporalRunHandle } = await import('./temporal-run-handle.ts')
  return new TemporalRunHandle({
    client: temporal,
    registry,
    taskQueue: taskQueue ?? defaultTaskQueue(registry.registryId),
    ...(leaseTimings === undefined ? {} : { heartbeatTimeoutMs: leaseTimings.ttlMs }),
  })
}

const optionsOf = (
  { reuse = false, session, turnOf }: AnyStart,
  traceparent: string | undefined,
): RegisterOptions => ({
  ...(traceparent === undefined ? {} : { traceparent }),
  sameId: 'request',
  reuse,
  ...(session === undefined ? {} : { grant: { scope: session } }),
  ...(turnOf === undefined ? {} : { turnOf }),
})

async function prepareRegistration(
  host: Host,
  environments: EnvironmentStore,
  request: AnyStart,
): Promise<RegistrationRequest> {
  const { registration, environment } = await prepareStart(host, request)
  const envRef =
    environment === undefined ? {} : { envRef: await captureEnvironment(environments, environment) }
  return { ...registration, ...envRef }
}
