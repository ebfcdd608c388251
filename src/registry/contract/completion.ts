import type { CompletionAuthority } from '../../model/completion.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { ProcessRecord } from '../../model/process.ts'

export interface CompletionOperations {
  /** The worker's door: one transaction checks the lease, appends the terminal event, sets the outcome and frees the lease. */
  completeWithLease(lease: ProcessLease, outcome: Outcome): Promise<ProcessRecord>
  /** The unleased door, for external owners; refused while a lease is live. */
  complete(id: string, outcome: Outcome, authority: CompletionAuthority): Promise<ProcessRecord>
}
