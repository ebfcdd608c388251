import { asJson, type Json } from './json.ts'
import type { AbandonEvidence, AbandonWriter, Failure, Outcome } from './outcome.ts'
import { decodeOutcome } from './outcome-decoding.ts'
import type { Tombstone } from './retention.ts'

/** What a tool answers to a model: an outcome, told in the words of tools. */
export type ToolResult =
  | { readonly type: 'success'; readonly value: Json; readonly code?: typeof NO_LONGER_RETAINED }
  | ({ readonly type: 'failure' } & Failure)
  | { readonly type: 'cancelled'; readonly message: string; readonly raw?: Json }

const NO_LONGER_RETAINED = 'process_no_longer_retained'

/** What the writer of `abandoned` knows, said so that a model neither repeats the work blindly nor takes it for done. */
const ABANDONED: Readonly<Record<AbandonWriter, string>> = {
  owner_drain: 'Its worker was closed before the process ended',
  sweep: 'Its worker died before the process ended',
  reconciled_request: 'It was given up on request, after its worker had stopped',
  engine_gave_up: 'It was given up after its last attempt',
}

/**
 * The outcome as the result of a tool. Completed, failed and cancelled come back whole from `outcomeOfToolResult`;
 * abandoned goes one way only: to a failure of class `external`, code `process_abandoned`, with the evidence as `raw`.
 */
export function toolResultOf(outcome: Outcome): ToolResult {
  switch (outcome.status) {
    case 'completed':
      return { type: 'success', value: outcome.value }
    case 'failed': {
      const { status: _, ...failure } = outcome
      return { type: 'failure', ...failure }
    }
    case 'cancelled': {
      const { status: _, ...rest } = outcome
      return { type: 'cancelled', ...rest }
    }
    case 'abandoned':
      return { type: 'failure', ...abandonedFailure(outcome.evidence) }
  }
}

/** What can still be said of a pruned process: how it ended and when it was pruned. Information, not an error. */
export const toolResultOfPruned = ({
  status,
  prunedAtMs,
}: Pick<Tombstone, 'status' | 'prunedAtMs'>): ToolResult => ({
  type: 'success',
  code: NO_LONGER_RETAINED,
  value: { terminalLabel: status, prunedAtMs },
})

/** The outcome that a tool's result stands for; `undefined` where it is none. A tool never says `abandoned`. */
export function outcomeOfToolResult(result: Json): Outcome | undefined {
  const outcome = decodeOutcome(result)
  return outcome?.status === 'abandoned' ? undefined : outcome
}

function abandonedFailure(evidence: AbandonEvidence): Failure {
  return {
    class: 'external',
    code: 'process_abandoned',
    message: `${ABANDONED[evidence.writer]}: what it had begun may be done or not. Find out before doing it again.`,
    raw: asJson(evidence),
  }
}
