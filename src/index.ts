export type { WorkerDeployment } from './activities/worker-versioning.ts'
export {
  createProcessClient,
  type ProcessClient,
  type ProcessClientOptions,
} from './client/process-client.ts'
export type { ProcessHandle, StartedProcess } from './client/process-handle.ts'
export type { SendOptions, SessionHandle } from './client/session-handle.ts'
export { createTemporalAttach } from './client/temporal-attach.ts'
export type { EmissionReport, TriggerClient } from './client/triggers.ts'
export { createProcessWorker } from './create-process-worker.ts'
export type { ExecutionOptions } from './execution/environment.ts'
export type { DeliveryReport } from './execution/start-triggered.ts'
export type { ProcessRunHandle, Submission } from './execution/submit.ts'
export {
  type InlineDriverOptions,
  type ProcessAttach,
  ProcessWorkDriver,
  type WorkDriverOptions,
} from './execution/work-driver.ts'
export { createInlineWorker, type InlineWorker, type InlineWorkerOptions } from './inline-worker.ts'
export type { Retention } from './maintenance/pruner.ts'
export type { Approval, ApprovalCall, ApprovalVote, Verdict, VoteRequest } from './model/approval.ts'
export type { Budget, BudgetLedger, Spending } from './model/budget.ts'
export type { DeferReason, DrainReport } from './model/drain.ts'
export type { Effect } from './model/effect.ts'
export { type ErrorCode, isLeaseholdError, LeaseholdError } from './model/errors.ts'
export type { EventType, ProcessEvent } from './model/event.ts'
export type { WakeSpec } from './model/event-semantics.ts'
export type { Flow, Turn } from './model/flow.ts'
export type { ForkRequest } from './model/fork.ts'
export type { ProcessId } from './model/ids.ts'
export type { JournalEntry, StepEffect } from './model/journal.ts'
export type { Json } from './model/json.ts'
export {
  DEFAULT_LEASE_TIMINGS,
  type LeaseOwner,
  type LeaseTimings,
  leaseTimingsFromTtl,
} from './model/lease.ts'
export type {
  AbandonEvidence,
  Failure,
  FailureClass,
  Outcome,
  ProcessStatus,
  TerminalStatus,
} from './model/outcome.ts'
export type { PendingCall, ToolCallAnswer } from './model/pending-call.ts'
export type {
  Disposition,
  ExternalRef,
  ProcessInput,
  ProcessRecord,
  SessionCreateRequest,
} from './model/process.ts'
export type { Tombstone } from './model/retention.ts'
export { Secret, secret } from './model/secret.ts'
export type { Selector } from './model/selector.ts'
export type {
  ForkSessionRequest,
  Session,
  SessionAppend,
  SessionEntry,
  SessionRequest,
  WaitingInput,
} from './model/session.ts'
export type { SessionScope } from './model/session-scope.ts'
export {
  type AttemptReset,
  type OffsetRange,
  type StreamDelta,
  type StreamEntry,
  StreamView,
} from './model/stream.ts'
export {
  outcomeOfToolResult,
  type ToolResult,
  toolResultOf,
  toolResultOfPruned,
} from './model/tool-result.ts'
export type { SaveTriggerDecision, Trigger, TriggerSource } from './model/trigger.ts'
export type { WaitState } from './model/wait.ts'
export type { WakeDelivery, WakeDraft } from './model/wake.ts'
export { ProcessAwaiter } from './registry/awaiter.ts'
export type { ProcessEventSink } from './registry/event-sink.ts'
export type { FollowStreamOptions } from './registry/follow-stream.ts'
export type { HostTransaction } from './registry/host-transaction.ts'
export { awaited, immediately, runAsynchronously, runSynchronously } from './registry/operation.ts'
export { createProcessRegistry, type LoadedSession, type ProcessRegistry } from './registry/registry.ts'
export { postgresRegistry, type RegistrySource, sqliteRegistry } from './registry/source.ts'
export type { PostgresStoreOptions } from './registry/sql/postgres-store.ts'
export type { SqliteStoreOptions } from './registry/sql/sqlite-store.ts'
export type {
  DurabilityTier,
  Operation,
  ProcessStore,
  StoreListener,
  StoreReader,
  StoreTransaction,
} from './registry/store.ts'
export {
  type DurableModelOptions,
  durableModel,
  type ModelCallScope,
} from './runtime/agent/durable-model.ts'
export { type DurableTools, type DurableToolsOptions, durableTools } from './runtime/agent/durable-tools.ts'
export type { ModelCallRecord, ModelPrice, ModelUsage } from './runtime/agent/model-call.ts'
export { type SubAgent, subAgents } from './runtime/agent/sub-agents.ts'
export {
  type ContextHandle,
  type EventWaitOptions,
  type ProcessContext,
  type ReceivedSignal,
  type RetryPolicy,
  type StartedChild,
  StepNotDone,
  type StepOptions,
  type StepScope,
  type StreamWriter,
  type UnknownResolution,
  type WaitOptions,
} from './runtime/context.ts'
export type { Facet, TieredStore } from './runtime/durability.ts'
export { defineEngine, type Engine, type EngineIdentity, type RunnableDisposition } from './runtime/engine.ts'
export type { EnvironmentStore, ProcessEnvironment, SessionPolicy } from './runtime/environment.ts'
export type { ExecutionHost, ExecutionScope } from './runtime/execution-host.ts'
export { defineHost, type EngineTable, type Host, type HostStores, type Residency } from './runtime/host.ts'
export type { LogFields, Logger } from './runtime/logger.ts'
export { type McpToolsOptions, mcpTools } from './runtime/mcp/mcp-tools.ts'
export type { McpServer } from './runtime/mcp/server.ts'
export { type PhaseProbe, PhaseProbes, type TurnPhase } from './runtime/phase-probe.ts'
export {
  definePlugin,
  type ListedTools,
  type ModelTable,
  type Plugin,
  type PluginMaking,
  type PluginOptions,
  type PluginParts,
  type PluginStack,
  type RuntimeHooks,
  type StopConditionTable,
  type ToolTable,
  type TurnInfo,
} from './runtime/plugin.ts'
export { ProcessFailure } from './runtime/process-failure.ts'
export type { Rollover } from './runtime/rollover.ts'
export type { Schema } from './runtime/schema.ts'
export type { SessionStore } from './runtime/session-store.ts'
export type { AnyStart, StartOptions, StartRequest } from './runtime/start-request.ts'
export {
  type ApprovalRule,
  defineTool,
  durableCall,
  type OrchestrateCall,
  PendingAnswer,
  type PendingOptions,
  type Tool,
  type ToolCallOptions,
  type ToolDefinition,
  type ToolEvents,
} from './runtime/tool.ts'
export type { TriggerRequest, TriggerStart } from './runtime/triggers/order.ts'
export type { TurnInput } from './runtime/turn/input.ts'
export type { TurnPolicy } from './runtime/turn/policy.ts'
export type { SessionTurnStart } from './runtime/turn/prepare.ts'
export type { Wake, WakeOptions, WakeReceipt, WakeSink } from './runtime/wake-sink.ts'
export type { Wakes } from './runtime/wakes.ts'
export { type TemporalPluginOptions, temporalPlugin } from './temporal-plugin.ts'
export type { ProcessWorker, ProcessWorkerOptions } from './worker.ts'
