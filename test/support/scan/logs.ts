import type { Logger } from '../../../src/index.ts'
import { secretsIn } from './run-secrets.ts'

const findings: string[] = []

const look: Logger['warn'] = (message, fields) => {
  for (const secret of secretsIn(`${message} ${textOf(fields)}`).secrets) findings.push(secret)
}

/** Says nothing, and hears all. */
export const scannedLogger: Logger = { debug: look, info: look, warn: look, error: look }

/** What was found since it was asked last. */
export const takeFindings = (): string[] => findings.splice(0)

const textOf = (fields: unknown): string => {
  try {
    return JSON.stringify(fields) ?? ''
  } catch {
    return String(fields)
  }
}
