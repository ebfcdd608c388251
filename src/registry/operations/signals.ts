import { v7 as uuidv7 } from 'uuid'
import { DUE } from '../../model/due.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { replayKeys } from '../../model/event.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { requireSignalName, signalEventType } from '../../model/signal.ts'
import { isInTime } from '../../model/wait.ts'
import { together } from '../operation.ts'
import type { SignalOperations } from '../registry.ts'
import type { ProcessStore } from '../store.ts'
import { append } from './append.ts'
import { saveEntry } from './journal.ts'
import { requireProcess } from './shared.ts'

/** It becomes a part of an indexed key. */
const MAX_SIGNAL_ID_LENGTH = 200

export function createSignalOperations(store: ProcessStore): SignalOperations {
  return {
    signal: async (id, name, payload, { signalId = uuidv7(), isSubmittedBySender = false } = {}) => {
      requireSignalName(id, name)
      if (signalId === '' || signalId.length > MAX_SIGNAL_ID_LENGTH) {
        throw new LeaseholdError(
          'usage',
          `A signal id has 1 to ${MAX_SIGNAL_ID_LENGTH} characters; found ${signalId.length}.`,
          { processId: id },
        )
      }
      requirePayloadSize(`payload of signal "${name}"`, payload, id)
      const replayKey = replayKeys.signal(id, name, signalId)
      return store.transaction(function* (tx) {
        const request = { eventType: signalEventType(name), payload, replayKey }
        const { result, record, isDue } = yield* append(tx, id, request)
        // Two who submit it at once would only be in each other's way.
        if (isDue && isSubmittedBySender) yield* tx.saveDue(record.id, DUE.afterRegister(yield* tx.now()))
        return { ...result, record, isDue }
      })
    },

    nextSignal: (id, name) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.findSignal(record.id, signalEventType(name))
      }),

    consumeSignal: (lease, entry, { name, untilMs }) =>
      store.transaction(function* (tx) {
        const { processId: id } = lease
        const [, known, signal] = yield* together(
          requireProcess(tx, id),
          tx.loadJournalEntry(id, entry.epoch, entry.address),
          tx.findSignal(id, signalEventType(name)),
        )
        // The same call again, after an answer that was lost: it must not take the next signal as well.
        if (known?.status === 'done') return { type: 'resolved' as const, entry: known }
        if (signal === undefined || !isInTime(signal, untilMs)) return { type: 'none' as const }
        const { sequence, payload } = signal
        const resolved = { ...entry, status: 'done', value: { sequence, payload } } as const
        yield* saveEntry(tx, lease, resolved)
        yield* tx.consumeSignal(id, sequence)
        return { type: 'resolved' as const, entry: resolved }
      }),
  }
}
