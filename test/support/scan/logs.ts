/** Set up in every test file of `stores` and `temporal`: fails the test during which a planted secret was logged. */
import { afterEach } from 'vitest'
import type { Logger } from '../../../src/index.ts'
import { refuseFindings, secretsIn } from './run-secrets.ts'

const findings: string[] = []

const look: Logger['warn'] = (message, fields) => {
  for (const secret of secretsIn(`${message} ${textOf(fields)}`).secrets) findings.push(secret)
}

/** Says nothing, and hears all. */
export const scannedLogger: Logger = { debug: look, info: look, warn: look, error: look }

const textOf = (fields: unknown): string => {
  try {
    return JSON.stringify(fields) ?? ''
  } catch {
    return String(fields)
  }
}

/** What was found since it was asked last. */
export const takeFindings = (): string[] => findings.splice(0)

afterEach(() => refuseFindings('the log of a worker', takeFindings()))
