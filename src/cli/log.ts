import { type Level, pino } from 'pino'
import type { LogFields, Logger } from '../runtime/logger.ts'
import { activeSpan } from '../telemetry/spans.ts'
import type { Environment } from './context.ts'
import { oneLine } from './plain-text.ts'

const STDERR = 2

/** A worker's log on standard error: JSON lines for programs, plain ones for people. Both bear the ids of what they tell of. */
export const createLog = (isJson: boolean, { LEASEHOLD_LOG_LEVEL: level }: Environment = {}): Logger =>
  isJson ? jsonLogger(level) : plainLogger

/** Pino's, with the names of levels and times in words. Each line is written before the next statement runs: a crash loses none. */
function jsonLogger(level = 'info'): Logger {
  const log = pino(
    {
      level: level in pino.levels.values ? level : 'info',
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      mixin: traceFields,
    },
    pino.destination({ dest: STDERR, sync: true }),
  )
  const at = (name: Level) => (message: string, fields?: LogFields) => log[name]({ ...fields }, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** So that a line is found from its trace. */
function traceFields(): object {
  const span = activeSpan()
  return span?.isRecording() ? { traceId: span.spanContext().traceId } : {}
}

const plainLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message, fields) => process.stderr.write(plainLine('warn', message, fields)),
  error: (message, fields) => process.stderr.write(plainLine('error', message, fields)),
}

function plainLine(level: string, message: string, fields: LogFields = {}): string {
  const shown = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${level}: ${oneLine(message + shown.join(''))}\n`
}
