/** Where a worker says what it does. Any structured logger fits; fields carry ids, never payloads. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export type LogFields = Readonly<Record<string, unknown>>

/** Warnings and errors, one JSON line each, on standard error. */
export const stderrLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message, fields) => console.error(JSON.stringify({ level: 'warn', message, ...fields })),
  error: (message, fields) => console.error(JSON.stringify({ level: 'error', message, ...fields })),
}

/** The same logger with fields that stand in every line. */
export const withFields = (logger: Logger, fields: LogFields): Logger => ({
  debug: (message, more) => logger.debug(message, { ...fields, ...more }),
  info: (message, more) => logger.info(message, { ...fields, ...more }),
  warn: (message, more) => logger.warn(message, { ...fields, ...more }),
  error: (message, more) => logger.error(message, { ...fields, ...more }),
})
