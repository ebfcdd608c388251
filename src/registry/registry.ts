import type { AttemptOperations } from './contract/attempts.ts'
import type { BlobOperations } from './contract/blobs.ts'
import type { BudgetOperations } from './contract/budgets.ts'
import type { CompletionOperations } from './contract/completion.ts'
import type { DrainOperations } from './contract/drains.ts'
import type { EffectOperations } from './contract/effects.ts'
import type { EventOperations } from './contract/events.ts'
import type { ForkOperations } from './contract/forks.ts'
import type { GrantOperations } from './contract/grants.ts'
import type { JournalOperations } from './contract/journal.ts'
import type { LeaseOperations } from './contract/leases.ts'
import type { ListOperations } from './contract/lists.ts'
import type { OutboxOperations } from './contract/outbox.ts'
import type { PendingCallOperations } from './contract/pending-calls.ts'
import type { RetentionOperations } from './contract/retention.ts'
import type { RowOperations } from './contract/rows.ts'
import type { SessionOperations } from './contract/sessions.ts'
import type { SignalOperations } from './contract/signals.ts'
import type { StreamOperations } from './contract/streams.ts'
import type { TriggerOperations } from './contract/triggers.ts'
import type { WaitOperations } from './contract/waits.ts'
import type { WorkerOperations } from './contract/workers.ts'
import type { WorklistOperations } from './contract/worklist.ts'
import { createAttemptOperations } from './operations/attempts.ts'
import { createBlobOperations } from './operations/blobs.ts'
import { createBudgetOperations } from './operations/budgets.ts'
import { createCompletionOperations } from './operations/completion.ts'
import { createDrainOperations } from './operations/drains.ts'
import { createEffectOperations } from './operations/effects.ts'
import { createEventOperations } from './operations/events.ts'
import { createForkOperations } from './operations/fork.ts'
import { createGrantOperations } from './operations/grants.ts'
import { createJournalOperations } from './operations/journal.ts'
import { createLeaseOperations } from './operations/leases.ts'
import { createListOperations } from './operations/lists.ts'
import { createOutboxOperations } from './operations/outbox.ts'
import { createPendingCallOperations } from './operations/pending-calls.ts'
import { createRetentionOperations } from './operations/retention.ts'
import { createRowOperations } from './operations/rows.ts'
import { createSessionOperations } from './operations/sessions.ts'
import { createSignalOperations } from './operations/signals.ts'
import { createSituationOperations } from './operations/situations.ts'
import { createStreamOperations } from './operations/streams.ts'
import { createTriggerOperations } from './operations/triggers.ts'
import { createWaitOperations } from './operations/waits.ts'
import { createWorkerOperations } from './operations/workers.ts'
import { createWorklistOperations } from './operations/worklist.ts'
import type { DurabilityTier, ProcessStore } from './store.ts'

export type * from './contract/attempts.ts'
export type * from './contract/blobs.ts'
export type * from './contract/budgets.ts'
export type * from './contract/completion.ts'
export type * from './contract/drains.ts'
export type * from './contract/effects.ts'
export type * from './contract/events.ts'
export type * from './contract/forks.ts'
export type * from './contract/grants.ts'
export type * from './contract/journal.ts'
export type * from './contract/leases.ts'
export type * from './contract/lists.ts'
export type * from './contract/outbox.ts'
export type * from './contract/pending-calls.ts'
export type * from './contract/retention.ts'
export type * from './contract/rows.ts'
export type * from './contract/sessions.ts'
export type * from './contract/signals.ts'
export type * from './contract/streams.ts'
export type * from './contract/triggers.ts'
export type * from './contract/waits.ts'
export type * from './contract/workers.ts'
export type * from './contract/worklist.ts'

/**
 * The registry owns the truth about every process. State only: point reads and writes, each one atomic transaction,
 * load → decide → save. It waits for nothing, notifies nobody and runs nothing in the background.
 *
 * Operations addressed by an id that was never registered throw `process_unknown`, and `process_no_longer_retained` if its
 * process was pruned, except where the answer says otherwise.
 */
export interface ProcessRegistry
  extends RowOperations,
    ListOperations,
    GrantOperations,
    WaitOperations,
    EventOperations,
    LeaseOperations,
    AttemptOperations,
    JournalOperations,
    EffectOperations,
    SignalOperations,
    CompletionOperations,
    ForkOperations,
    WorkerOperations,
    DrainOperations,
    WorklistOperations,
    PendingCallOperations,
    BudgetOperations,
    SessionOperations,
    StreamOperations,
    OutboxOperations,
    TriggerOperations,
    RetentionOperations,
    BlobOperations {
  readonly registryId: string
  readonly durabilityTier: DurabilityTier
  /** See {@link ProcessStore.isOfOneMachine}. */
  readonly isOfOneMachine: boolean
  /** See {@link ProcessStore.watch}. */
  watch: ProcessStore['watch']
  close(): Promise<void>
}

/** The one implementation of the registry's semantics, over any store. */
export function createProcessRegistry(store: ProcessStore): ProcessRegistry {
  return {
    registryId: store.registryId,
    durabilityTier: store.durabilityTier,
    isOfOneMachine: store.isOfOneMachine ?? false,
    ...createRowOperations(store),
    ...createListOperations(store),
    ...createGrantOperations(store),
    ...createWaitOperations(store),
    ...createEventOperations(store),
    ...createLeaseOperations(store),
    ...createAttemptOperations(store),
    ...createSituationOperations(store),
    ...createJournalOperations(store),
    ...createEffectOperations(store),
    ...createSignalOperations(store),
    ...createCompletionOperations(store),
    ...createForkOperations(store),
    ...createWorkerOperations(store),
    ...createDrainOperations(store),
    ...createWorklistOperations(store),
    ...createOutboxOperations(store),
    ...createTriggerOperations(store),
    ...createPendingCallOperations(store),
    ...createBudgetOperations(store),
    ...createSessionOperations(store),
    ...createStreamOperations(store),
    ...createRetentionOperations(store),
    ...createBlobOperations(store),
    watch: (listener, options) => store.watch(listener, options),
    close: () => store.close(),
  }
}
