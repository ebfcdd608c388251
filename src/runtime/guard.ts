import { LeaseholdError } from '../model/errors.ts'
import { isOfOtherProfile, otherProfile } from '../model/host-profile.ts'
import { requireStableId } from '../model/ids.ts'
import type { ProcessRecord } from '../model/process.ts'
import { type FacetStores, requireDurableFacets } from './durability.ts'
import { type ExecutionHost, type ExecutionScope, requireScope } from './execution-host.ts'

export interface GuardParts {
  readonly executionHost: ExecutionHost
  readonly stores: FacetStores
  readonly profileId?: string | undefined
}

/**
 * Everything that must hold before a runtime is built, in this order: the first that does not is what is told. A process
 * that somebody else owns is refused last, so that a host whose stores are wrong shows it with any process.
 */
export async function guardRun(record: ProcessRecord, parts: GuardParts): Promise<ExecutionScope> {
  requireStableId(record.id)
  const scope = await requireScope(parts.executionHost, record.id)
  if (isOfOtherProfile(record, parts.profileId))
    throw otherProfile(record.id, record.provenance.hostProfileId ?? '', parts.profileId)
  requireDurableFacets(parts.executionHost, parts.stores)
  if (record.disposition === 'externally_owned' || record.input.type === 'external')
    throw externallyOwned(record)
  return scope
}

const externallyOwned = ({ id }: ProcessRecord): LeaseholdError =>
  new LeaseholdError(
    'process_externally_owned',
    `Process "${id}" is externally-owned and must not be executed here.`,
    { processId: id },
  )
