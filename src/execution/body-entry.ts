import type { LeaseOwner } from '../model/lease.ts'
import type { ProcessRecord } from '../model/process.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { AttemptScope, AttemptStop } from './attempt-scope.ts'
import type { LeaseKeeper } from './lease-keeper.ts'

export interface BodyEntryParts {
  readonly registry: ProcessRegistry
  readonly worker: LeaseOwner
  readonly keeper: LeaseKeeper
  readonly scope: AttemptScope
}

export type BodyEntry =
  /** The code may run. `recorded`: nothing that ends the attempt may be written before. */
  | { readonly type: 'entered'; readonly recorded: Promise<unknown> }
  /** This owner-bound process was started by another attempt. */
  | { readonly type: 'refused' }
  | { readonly type: 'stopped'; readonly stop: AttemptStop }

/**
 * Immediately before the body. An owner-bound one waits until its entry is on record: that is what keeps all others out. A
 * rerunnable one may be entered by anybody who holds the lease, so it does not wait, and its entry shares a commit with
 * what the code writes first.
 */
export async function enterBody(
  { disposition, firstStarted }: ProcessRecord,
  { registry, worker, keeper, scope }: BodyEntryParts,
): Promise<BodyEntry> {
  const orStop = <T>(work: Promise<T>): Promise<T | BodyEntry> =>
    Promise.race([work, scope.stopped.then(stop => ({ type: 'stopped', stop }) as const)])
  const record = () => scope.write(keeper, lease => registry.enterBody(lease, worker))

  if (disposition === 'owner_bound') {
    const answer = await orStop(record())
    return answer.type === 'entered' ? { type: 'entered', recorded: Promise.resolve() } : answer
  }
  const held = await orStop(scope.write(keeper, async () => ({ type: 'held' }) as const))
  if (held.type !== 'held') return held
  if (firstStarted !== undefined) return { type: 'entered', recorded: Promise.resolve() }
  const recorded = record()
  // Whoever is stopped meanwhile does not ask for it any more.
  recorded.catch(() => {})
  return { type: 'entered', recorded }
}
