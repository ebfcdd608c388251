import { type LogFields, type Logger, stderrLogger } from '../runtime/logger.ts'
import { oneLine } from './plain-text.ts'

/** A worker's log on standard error: JSON lines for programs, plain ones for people. */
export const createLog = (isJson: boolean): Logger => (isJson ? stderrLogger : plainLogger)

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
