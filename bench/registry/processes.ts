import { randomUUID } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { RegistrationRequest } from '../../src/model/registration.ts'
import type { ProcessRegistry } from '../../src/registry/registry.ts'

const TTL_MS = 30_000
const ENVIRONMENT = 'bench'
/** An event that every process here may append. */
export const NOTE = { name: 'note', payloadSchema: true } as const

const COMPLETED = { status: 'completed', value: null } as const

export const prepareRegistry = (registry: ProcessRegistry): Promise<void> =>
  registry.putEnv(ENVIRONMENT, new Uint8Array())

export const registration = (patch: Partial<RegistrationRequest> = {}): RegistrationRequest => ({
  // As the client makes them.
  id: uuidv7(),
  input: { type: 'engine', kind: 'noop', payload: null },
  disposition: 'rerunnable',
  identity: { kind: 'noop' },
  envRef: ENVIRONMENT,
  eventTypes: [NOTE],
  provenance: { originator: { type: 'host' } },
  ...patch,
})

/** The lease of a new attempt; whatever else the answer is ends the bench. */
export async function beginAttempt(registry: ProcessRegistry, id: string) {
  const worker = { ownerId: 'bench', incarnationId: 'bench', liveness: { kind: 'opaque' } } as const
  const answer = await registry.beginAttempt(id, { worker, attempt: randomUUID(), ttlMs: TTL_MS })
  if (answer.type !== 'run') throw new Error(`Process "${id}" was not to be run, but ${answer.type}.`)
  return answer.lease
}

/** A process's three writes that every process has. */
export async function runThrough(registry: ProcessRegistry): Promise<void> {
  const { record } = await registry.register(registration())
  await registry.completeWithLease(await beginAttempt(registry, record.id), COMPLETED)
}
