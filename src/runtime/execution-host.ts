import { isTransient, LeaseholdError, messageOf } from '../model/errors.ts'
import type { TieredStore } from './durability.ts'

/**
 * What attempts run inside of. Temporal's workers are durable: what they began is taken up again elsewhere, so that every
 * store must outlive them.
 */
export interface ExecutionHost extends TieredStore {
  /** The surroundings of one process, the same at each of its attempts; `undefined`: it has none for it. */
  scope(processId: string): ExecutionScope | undefined | Promise<ExecutionScope | undefined>
}

/** Surrounds the code of one attempt, for instance with a context for tracing. */
export interface ExecutionScope {
  readonly id: string
  run<T>(body: () => Promise<T>): Promise<T>
}

const plainScope = (processId: string): ExecutionScope => ({
  id: `process:${processId}`,
  run: body => body(),
})

/** A host that ends with its OS process and asks nothing of its stores. */
export const inlineExecutionHost: ExecutionHost = { durabilityTier: 'inline', scope: plainScope }

/** A host whose processes are taken up elsewhere when it ends. */
export const durableExecutionHost: ExecutionHost = { durabilityTier: 'durable', scope: plainScope }

/** Throws `process_no_static_scope`. */
export async function requireScope(host: ExecutionHost, processId: string): Promise<ExecutionScope> {
  const scope = await askForScope(host, processId)
  if (scope !== undefined) return scope
  throw new LeaseholdError(
    'process_no_static_scope',
    `The execution host has no scope for process "${processId}". Its scope() must give one, the same at each attempt.`,
    { processId },
  )
}

async function askForScope(host: ExecutionHost, processId: string): Promise<ExecutionScope | undefined> {
  try {
    return await host.scope(processId)
  } catch (cause) {
    if (isTransient(cause)) throw cause
    throw new LeaseholdError(
      'process_no_static_scope',
      `The execution host's scope() failed for process "${processId}": ${messageOf(cause)}`,
      { processId, cause },
    )
  }
}
