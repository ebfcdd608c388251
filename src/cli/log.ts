import { type Level, pino } from 'pino'
import { LeaseholdError } from '../model/errors.ts'
import type { LogFields, Logger } from '../runtime/logger.ts'
import { activeSpan } from '../telemetry/spans.ts'
import type { Environment } from './context.ts'
import { given } from './given.ts'
import { oneLine } from './plain-text.ts'

const STDERR = 2

/** A worker's log on standard error: JSON lines for programs, plain ones for people. Both bear the ids of what they tell of. */
export const createLog = (isJson: boolean, { LEASEHOLD_LOG_LEVEL: level }: Environment = {}): Logger =>
  isJson ? jsonLogger(given(level)) : plainLogger

const LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly Level[]

/** Pino's, with the names of levels and times in words. Each line is written before the next statement runs: a crash loses none. */
function jsonLogger(level = 'info'): Logger {
  const log = pino(
    {
      level: requireLevel(level),
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

function requireLevel(level: string): Level {
  const known = LEVELS.find(one => one === level)
  if (known !== undefined) return known
  throw new LeaseholdError(
    'usage',
    `LEASEHOLD_LOG_LEVEL is one of ${LEVELS.join(', ')}; found ${JSON.stringify(level)}.`,
  )
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
