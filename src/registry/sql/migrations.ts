import { initial } from './migrations/0001-initial.ts'
import { listsAndGrants } from './migrations/0002-lists-and-grants.ts'
import { eventSemantics } from './migrations/0003-event-semantics.ts'
import { wakes } from './migrations/0004-wakes.ts'
import { signalsAndWaits } from './migrations/0005-signals-and-waits.ts'
import { pendingCallsAndSessions } from './migrations/0006-pending-calls-and-sessions.ts'
import { retention } from './migrations/0007-retention.ts'
import { drains } from './migrations/0008-drains.ts'
import { blobs } from './migrations/0009-blobs.ts'
import { effects } from './migrations/0010-effects.ts'
import { flow } from './migrations/0011-flow.ts'
import { waitingTurns } from './migrations/0012-waiting-turns.ts'
import { approvals } from './migrations/0013-approvals.ts'
import { streams } from './migrations/0014-streams.ts'
import { triggers } from './migrations/0015-triggers.ts'
import { budgets } from './migrations/0016-budgets.ts'
import { telemetry } from './migrations/0017-telemetry.ts'
import { claimsOfWakes } from './migrations/0018-claims-of-wakes.ts'
import { streamSteps } from './migrations/0019-stream-steps.ts'
import { closedSessions } from './migrations/0020-closed-sessions.ts'
import { liveIndex } from './migrations/0021-live-index.ts'

/** One step of the schema's history. Never changed once released: the next change is the next number. */
export interface Migration {
  readonly version: number
  readonly name: string
  sqlite(execute: (sql: string) => void): void
  /** Run with the registry's own schema as the search path. */
  postgres(execute: (sql: string) => Promise<void>): Promise<void>
}

export const MIGRATIONS: readonly Migration[] = [
  initial,
  listsAndGrants,
  eventSemantics,
  wakes,
  signalsAndWaits,
  pendingCallsAndSessions,
  retention,
  drains,
  blobs,
  effects,
  flow,
  waitingTurns,
  approvals,
  streams,
  triggers,
  budgets,
  telemetry,
  claimsOfWakes,
  streamSteps,
  closedSessions,
  liveIndex,
]

/** The schema that this version of Leasehold writes. */
export const SCHEMA_VERSION = MIGRATIONS.length
