import { isLeaseholdError, messageOf } from '../../model/errors.ts'
import { EXIT, exitCodeOf } from '../exit-code.ts'

/** One thing that the doctor looked at. `advice` stands wherever there is something to do. */
export interface Check {
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly found: string
  readonly advice?: string
  /** Of a `fail`: a registry or server that cannot be reached. */
  readonly isUnreachable?: boolean
}

export const ok = (name: string, found: string): Check => ({ name, status: 'ok', found })

export const warn = (name: string, found: string, advice?: string): Check => ({
  name,
  status: 'warn',
  found,
  ...(advice === undefined ? {} : { advice }),
})

/** Our own errors say what to do in their message. */
export function failed(name: string, error: unknown, advice?: string): Check {
  const isUnreachable = isLeaseholdError(error) && exitCodeOf(error.code) === EXIT.unreachable
  const given = advice === undefined ? {} : { advice }
  return { name, status: 'fail', found: messageOf(error), ...given, isUnreachable }
}
