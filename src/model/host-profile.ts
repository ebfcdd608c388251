import { LeaseholdError } from './errors.ts'
import type { ProcessRecord } from './process.ts'

/** A process that recorded no host profile runs anywhere; one that did, only at workers of the same. */
export function isOfOtherProfile({ provenance }: Pick<ProcessRecord, 'provenance'>, profileId = ''): boolean {
  const { hostProfileId: recorded = '' } = provenance
  return recorded !== '' && recorded !== profileId
}

export const otherProfile = (id: string, recorded: string, profileId = ''): LeaseholdError =>
  new LeaseholdError(
    'process_host_profile_mismatch',
    `Process "${id}" was started by host profile "${recorded}"; this worker's is ${profileId === '' ? 'none' : `"${profileId}"`}. A worker of that profile runs it.`,
    { processId: id, details: { recorded, profile: profileId } },
  )
