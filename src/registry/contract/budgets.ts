import type {
  Budget,
  BudgetedCall,
  BudgetLedger,
  BudgetRefusal,
  Spending,
  TimeLeft,
} from '../../model/budget.ts'
import type { ProcessLease } from '../../model/lease.ts'

/** What processes may spend, and have spent. See `model/budget.ts`. */
export interface BudgetOperations {
  /**
   * Under the lease, before a call is made: reserves what it may take, of the process's own budget and of those of its
   * ancestors. `unlimited`: none of them has one. Asked again for the same operation, after a crash, what was reserved
   * before counts as spent. Without an operation it only opens the budget. What a process still has reserved when it ends
   * is given back by its terminal write, but for what is sure.
   */
  reserveBudget(lease: ProcessLease, request: ReserveRequest): Promise<ReserveAnswer>
  /** Under the lease, when the call has ended: what it took. */
  settleBudget(
    lease: ProcessLease,
    settled: { readonly operationId: string; readonly took: Spending },
  ): Promise<void>
  /** `undefined`: no ancestor has a budget for the process to keep to, and it has none of its own, or has not opened it yet. */
  budget(id: string): Promise<BudgetLedger | undefined>
}

export interface ReserveRequest {
  /** The process's own limits; absent: it has none of its own. Those that were opened first stay. */
  readonly limits?: Budget
  readonly operation?: BudgetedCall
}

export type ReserveAnswer =
  | { readonly type: 'unlimited' }
  /** `time`: when the call has to end, where a budget says so. */
  | { readonly type: 'reserved'; readonly time?: TimeLeft }
  | BudgetRefusal
