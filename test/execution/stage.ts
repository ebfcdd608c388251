import { onTestFinished } from 'vitest'
import {
  createExecutionEnvironment,
  type ExecutionEnvironment,
  type ExecutionOptions,
} from '../../src/execution/environment.ts'
import { ProcessRunner } from '../../src/execution/runner.ts'
import { defineHost, type Logger, type Outcome } from '../../src/index.ts'
import type { ProcessEvent } from '../../src/model/event.ts'
import type { LeaseOwner } from '../../src/model/lease.ts'
import type { ProcessRecord } from '../../src/model/process.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import type { ProcessStore } from '../../src/registry/store.ts'
import { type WatchedRegistry, watchRegistry } from '../../src/registry/watch.ts'
import type { ProcessContext } from '../../src/runtime/context.ts'
import { captureEnvironment, registryEnvironments } from '../../src/runtime/environment.ts'
import type { EngineTable, Host } from '../../src/runtime/host.ts'
import type { ToolTable } from '../../src/runtime/plugin.ts'
import { type AnyStart, prepareStart } from '../../src/runtime/start-request.ts'

const nothing = () => {}
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** A worker of the stage: one runner with an identity of its own. */
export interface StageWorker {
  readonly runner: ProcessRunner
  readonly identity: LeaseOwner
  readonly environment: ExecutionEnvironment
}

/** One registry and what runs on it, without any backend: each attempt is one call of `run`. */
export interface Stage {
  readonly registry: WatchedRegistry
  readonly runner: ProcessRunner
  readonly identity: LeaseOwner
  /** `more`: what its host module says otherwise. */
  addWorker(options?: ExecutionOptions, more?: Partial<Host>): StageWorker
  /** Registers a process; default kind `work`. */
  start(request?: Partial<AnyStart>): Promise<string>
  /** Attempts in a row, for as long as they come to nothing. */
  outcome(id: string): Promise<Outcome>
  record(id: string): Promise<ProcessRecord>
  events(id: string, eventType?: string): Promise<readonly ProcessEvent[]>
}

export interface StageOptions extends ExecutionOptions {
  readonly engines?: EngineTable
  readonly tools?: ToolTable
  readonly store?: ProcessStore
  /** What else the host module says. */
  readonly host?: Partial<Host>
}

type Run = (ctx: ProcessContext) => unknown

/** An engine table with one rerunnable kind, `work`, whose events may be anything. */
export const work = (run: Run, disposition: 'rerunnable' | 'owner_bound' = 'rerunnable'): EngineTable => ({
  work: { disposition, events: { note: true }, run },
})

export function openStage({ engines = {}, tools = {}, store, host: given, ...options }: StageOptions): Stage {
  const registry = watchRegistry(createProcessRegistry(store ?? createMemoryStore()))
  const host: Host = defineHost({
    registry: { description: 'the stage', open: async () => registry },
    engines,
    tools,
    ...given,
  })
  const environments = host.stores?.environments ?? registryEnvironments(registry)
  onTestFinished(() => registry.close())

  const addWorker = (more: ExecutionOptions = {}, ofHost: Partial<Host> = {}): StageWorker => {
    const environment = createExecutionEnvironment({ ...host, ...ofHost }, registry, {
      logger: silent,
      // Renewed often, so that an attempt whose lease was taken hears of it soon.
      leaseTimings: { ttlMs: 900, renewIntervalMs: 300 },
      parkGraceMs: 20,
      stopBoundMs: 50,
      ...options,
      ...more,
    })
    return { runner: new ProcessRunner(environment), identity: environment.worker, environment }
  }
  const { runner, identity } = addWorker()

  return {
    registry,
    runner,
    identity,
    addWorker,
    start: async (request = {}) => {
      const start = { kind: 'work', input: null, ...request }
      const { registration, environment } = await prepareStart(host, start)
      const envRef =
        environment === undefined ? {} : { envRef: await captureEnvironment(environments, environment) }
      return (await registry.register({ ...registration, ...envRef })).record.id
    },
    outcome: async id => {
      for (;;) {
        await runner.run(id)
        const outcome = (await registry.get(id))?.outcome
        if (outcome !== undefined) return outcome
      }
    },
    record: async id => {
      const record = await registry.get(id)
      if (record === undefined) throw new Error(`no process ${id}`)
      return record
    },
    events: async (id, eventType) =>
      (await registry.eventsAfter(id, 0)).filter(
        event => eventType === undefined || event.eventType === eventType,
      ),
  }
}

/** As if the operating system had said that this worker is dead: its leases are cleared, and others may go on. */
export async function supersede(
  { registry }: Stage,
  { identity }: Pick<StageWorker, 'identity'>,
): Promise<void> {
  await registry.proveWorkerDead(identity)
}

/** Ends the first attempt at the gate by a lost lease, and runs the process to its end at another worker. */
export async function replay(stage: Stage, id: string, atGate: () => Promise<unknown>): Promise<Outcome> {
  const first = stage.runner.run(id)
  await atGate()
  await supersede(stage, stage)
  const answer = await stage.addWorker().runner.run(id)
  if (answer.type !== 'done') throw new Error(`the second attempt came to ${answer.type}`)
  await first
  const { outcome } = await stage.record(id)
  if (outcome === undefined) throw new Error('no outcome')
  return outcome
}
