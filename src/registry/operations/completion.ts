import {
  alreadyTerminal,
  type CompletionAuthority,
  requireAuthority,
  terminalPayload,
} from '../../model/completion.ts'
import { type ProcessEvent, type RegistryEvent, replayKeys, terminalEventType } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import { asJson, hashJson } from '../../model/json.ts'
import { freed, isCurrentLease, leaseLost } from '../../model/lease.ts'
import { isTerminal, type Outcome } from '../../model/outcome.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { together } from '../operation.ts'
import type { CompletionOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreReader } from '../store.ts'
import { closeReservations } from './budgets.ts'
import { freePlace, lockPlace, tellQueue } from './flow.ts'
import { insertEvent, repaired, requireProcess, saveUnderLease } from './shared.ts'
import { waitersFor } from './waiters.ts'

export function createCompletionOperations(store: ProcessStore): CompletionOperations {
  return {
    completeWithLease: async (lease, outcome) => {
      requirePayloadSize('outcome', asJson(outcome), lease.processId)
      return store.transaction(function* (tx) {
        yield* lockPlace(tx, lease)
        const { processId } = lease
        const request = terminalEvent(processId, outcome)
        // The clock after the locks: whoever had to wait for them comes later.
        const [stored, current, replay, budget, waiters, now] = yield* together(
          requireProcess(tx, processId),
          tx.loadLease(processId),
          findReplay(tx, processId, request),
          tx.loadBudget(processId),
          waitersFor(tx, processId, request.eventType),
          tx.now(),
        )
        if (replay !== undefined) return yield* repaired(tx, stored, replay)
        if (current === undefined || !isCurrentLease(current, lease, now))
          throw leaseLost(lease, current, now)
        // The contract's claim may lease an ended row.
        if (isTerminal(stored.record.status)) throw alreadyTerminal(stored.record)
        const { stored: ended } = yield* insertEvent(tx, stored, request, now, waiters)
        yield* saveUnderLease(tx, ended, lease, now)
        yield* tx.saveLease(lease.processId, freed(current), current.fence)
        yield* freePlace(tx, lease)
        yield* closeReservations(tx, budget)
        return ended.record
      })
    },

    complete: async (id, outcome, authority) => {
      requirePayloadSize('outcome', asJson(outcome), id)
      return store.transaction(function* (tx) {
        const processId = id as ProcessId
        const request = terminalEvent(processId, outcome, authority)
        const [stored, current, replay, budget, waiters, now] = yield* together(
          requireProcess(tx, processId),
          tx.loadLease(processId),
          findReplay(tx, processId, request),
          tx.loadBudget(processId),
          waitersFor(tx, processId, request.eventType),
          tx.now(),
        )
        if (replay !== undefined) return yield* repaired(tx, stored, replay)
        requireAuthority(stored.record, current, outcome, authority, now)
        const { stored: ended } = yield* insertEvent(tx, stored, request, now, waiters)
        yield* tx.saveProcess(ended, { status: 'running' })
        if (stored.record.turn !== undefined) yield* tellQueue(tx, stored.record.turn)
        yield* closeReservations(tx, budget)
        return ended.record
      })
    },
  }
}

/** Ends the process: event, outcome, status and the end of its waits are one write. */
function terminalEvent(id: ProcessId, outcome: Outcome, authority?: CompletionAuthority): RegistryEvent {
  const eventType = terminalEventType(outcome.status)
  const replayKey = replayKeys.terminal(id, eventType)
  return { eventType, payload: terminalPayload(outcome, authority), replayKey, outcome }
}

/** The very same terminal write, made before: its writer lost the answer and asks again. */
function* findReplay(
  reader: StoreReader,
  id: ProcessId,
  request: RegistryEvent,
): Operation<ProcessEvent | undefined> {
  const known = yield* reader.findEvent(id, request.replayKey ?? '')
  if (known === undefined) return undefined
  return known.payloadHash === hashJson([request.eventType, request.payload]) ? known.event : undefined
}
