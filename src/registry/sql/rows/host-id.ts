import type { LeaseOwner } from '../../../model/lease.ts'

export const hostIdOf = ({ liveness }: LeaseOwner): string | null =>
  liveness.kind === 'local_process' ? liveness.hostId : null
