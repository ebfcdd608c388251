import { expect } from 'vitest'
import type { BeginAnswer, BeginAttemptRequest } from '../../model/attempt.ts'
import type { ErrorCode } from '../../model/errors.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { RegistrationRequest } from '../../model/registration.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import { createManualClock, type ManualClock } from '../manual-clock.ts'
import { ANA, registration, TTL } from './fixtures.ts'

/** Opens one empty registry on the clock given. Called once for each case. */
export type OpenRegistry = (options: { readonly clock: ManualClock }) => Promise<OpenedRegistry>

export interface OpenedRegistry {
  readonly registry: ProcessRegistry
  /** Of a durable store: closes and opens it again, as after a restart. */
  reopen?(): Promise<ProcessRegistry>
  /**
   * Of a store that keeps blobs apart from the rows that refer to them: takes one away, or changes it, without the
   * store's knowledge.
   */
  damageBlob?(hash: string, damage: 'remove' | 'alter'): Promise<void>
  close(): Promise<void>
}

/** What a case works with: one registry of its own, its clock, and the steps that most cases begin with. */
export interface World {
  readonly registry: ProcessRegistry
  readonly clock: ManualClock
  readonly reopen: OpenedRegistry['reopen']
  readonly damageBlob: OpenedRegistry['damageBlob']
  /** Registers a rerunnable engine process, or what the patch makes of it. */
  register(patch?: Partial<RegistrationRequest>): Promise<ProcessId>
  record(id: string): Promise<ProcessRecord>
  begin(id: string, request?: Partial<BeginAttemptRequest>): Promise<BeginAnswer>
  /** Begins an attempt that must come to `run`. */
  run(id: string, request?: Partial<BeginAttemptRequest>): Promise<ProcessLease>
  /** Begins an attempt and enters its body. */
  start(id: string, request?: Partial<BeginAttemptRequest>): Promise<ProcessLease>
  eventTypes(id: string): Promise<readonly string[]>
  /** Ids due now, the most overdue first. */
  due(): Promise<readonly string[]>
}

export type Case = (name: string, run: (world: World) => Promise<void>) => void

/** Where a store does something else than the contract says: why, and what it does instead. */
export interface Deviation {
  readonly reason: string
  readonly instead: (opened: OpenedRegistry & { readonly clock: ManualClock }) => Promise<void>
}

/** Runs one case in a world of its own, and closes that however the case ends. */
export async function inWorld(
  open: OpenRegistry,
  run: (world: World, opened: OpenedRegistry & { readonly clock: ManualClock }) => Promise<void>,
): Promise<void> {
  const clock = createManualClock()
  const opened = await open({ clock })
  try {
    await run(createWorld(opened, clock), { ...opened, clock })
  } finally {
    await opened.close()
  }
}

function createWorld(opened: OpenedRegistry, clock: ManualClock): World {
  const { registry } = opened
  let attempts = 0
  const begin: World['begin'] = (id, request = {}) => {
    attempts += 1
    return registry.beginAttempt(id, { worker: ANA, attempt: `attempt-${attempts}`, ttlMs: TTL, ...request })
  }
  const run: World['run'] = async (id, request) => {
    const answer = await begin(id, request)
    if (answer.type !== 'run') expect.fail(`an attempt on "${id}" came to ${answer.type}, not to run`)
    return answer.lease
  }
  return {
    registry,
    clock,
    reopen: opened.reopen?.bind(opened),
    damageBlob: opened.damageBlob?.bind(opened),
    async register(patch) {
      const { record } = await registry.register(registration(patch))
      return record.id
    },
    async record(id) {
      const record = await registry.get(id)
      return record ?? expect.fail(`the registry has no process "${id}"`)
    },
    begin,
    run,
    async start(id, request) {
      const lease = await run(id, request)
      expect(await registry.enterBody(lease, request?.worker ?? ANA)).toEqual({ type: 'entered' })
      return lease
    },
    eventTypes: async id => (await registry.eventsAfter(id, 0)).map(event => event.eventType),
    due: async () => (await registry.dueProcesses(100)).map(({ record }) => record.id),
  }
}

/** The promise rejects with this code of our family of errors. */
export async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'LeaseholdError', code })
}

/** Runs what must change nothing, and checks that the row and the change feed stand as before. */
export async function unchanged(world: World, id: string, act: () => Promise<unknown>): Promise<void> {
  const { registry } = world
  const before = { record: await registry.get(id), change: await registry.latestChange() }
  await act()
  expect({ record: await registry.get(id), change: await registry.latestChange() }).toEqual(before)
}
