import { messageOf } from '../model/errors.ts'
import type { SinkFeedOptions } from '../registry/event-sink.ts'
import type { Logger } from './logger.ts'

/** A sink's failure harms nobody: the log has the event, and whoever needs it can read it there. */
export const onSinkProblem =
  (logger: Logger): SinkFeedOptions['onProblem'] =>
  (error, { processId, sequence, eventType }) =>
    logger.warn('the event sink missed an event; the log has it', {
      processId,
      sequence,
      eventType,
      error: messageOf(error),
    })
