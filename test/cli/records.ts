import { TEMPORAL_BACKEND } from '../../src/contract.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import type { ProcessRegistry } from '../../src/registry/registry.ts'
import { registration } from '../model/fixtures.ts'

/** A process of kind `survey` that nobody runs. */
export const register = (registry: ProcessRegistry, id: string) => registry.register(registration({ id }))

/** The same, with a run at Temporal, as far as the record says. */
export async function registerAtTemporal(registry: ProcessRegistry, id: string): Promise<void> {
  await register(registry, id)
  await registry.setExternalRef(id, { backend: TEMPORAL_BACKEND, id })
}

/** The same as somebody else's work, which the test can end as it likes. */
export async function registerExternal(registry: ProcessRegistry, id: string): Promise<void> {
  await registry.register({
    id,
    input: { type: 'external', metadata: { label: 'theirs' } },
    disposition: 'externally_owned',
    provenance: { originator: { type: 'host' } },
  })
}

export async function end(registry: ProcessRegistry, id: string, outcome: Outcome): Promise<void> {
  await registry.complete(id, outcome, { authority: 'external_owner', grantedTo: 'the test' })
}

/** Each way in which a process ends, with the exit code that `await` has for it. */
export const OUTCOMES: readonly {
  readonly outcome: Outcome
  readonly exit: number
  readonly says: string
}[] = [
  { outcome: { status: 'completed', value: { rows: 7 } }, exit: 0, says: 'value   {"rows":7}' },
  {
    outcome: { status: 'failed', class: 'execution', code: 'no_disk', message: 'the disk is full' },
    exit: 10,
    says: 'failure  no_disk: the disk is full',
  },
  {
    outcome: { status: 'cancelled', message: 'user pressed stop' },
    exit: 11,
    says: 'reason  user pressed stop',
  },
  {
    outcome: { status: 'abandoned', evidence: { writer: 'reconciled_request', epochMs: 5 } },
    exit: 12,
    says: 'evidence  {"writer":"reconciled_request","epochMs":5}',
  },
]
