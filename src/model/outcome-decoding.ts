import type { Json } from './json.ts'
import {
  ABANDON_WRITERS,
  FAILURE_CLASSES,
  type Failure,
  type Outcome,
  TERMINAL_STATUSES,
  type TerminalStatus,
} from './outcome.ts'
import { stringify } from './selector.ts'

/** Tool results name the outcomes by `type`; everything else by `status`. */
const BY_TYPE: Readonly<Record<string, TerminalStatus>> = {
  success: 'completed',
  failure: 'failed',
  cancelled: 'cancelled',
  abandoned: 'abandoned',
}

/** The outcome that the value is, written either way; `undefined` where it is something else. */
export function decodeOutcome(value: Json): Outcome | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const member = (name: string): unknown =>
    Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
  const status = TERMINAL_STATUSES.find(one => one === member('status')) ?? BY_TYPE[String(member('type'))]
  const raw = Object.hasOwn(value, 'raw') ? { raw: member('raw') as Json } : {}
  const message = member('message')
  switch (status) {
    case 'completed':
      return Object.hasOwn(value, 'value') ? { status, value: member('value') as Json } : undefined
    case 'failed': {
      const failureClass = FAILURE_CLASSES.find(one => one === member('class'))
      const code = member('code')
      if (failureClass === undefined || typeof code !== 'string' || typeof message !== 'string')
        return undefined
      return { status, class: failureClass, code, message, ...raw }
    }
    case 'cancelled':
      return typeof message === 'string' ? { status, message, ...raw } : undefined
    case 'abandoned':
      return decodeAbandoned(member('evidence'))
    default:
      return undefined
  }
}

function decodeAbandoned(evidence: unknown): Outcome | undefined {
  if (typeof evidence !== 'object' || evidence === null) return undefined
  const { writer, owner, statedBy, epochMs } = evidence as Partial<Record<string, unknown>>
  const isWhole =
    ABANDON_WRITERS.some(one => one === writer) &&
    typeof epochMs === 'number' &&
    (owner === undefined || isLeaseOwner(owner)) &&
    (statedBy === undefined || typeof statedBy === 'string')
  return isWhole ? ({ status: 'abandoned', evidence } as Outcome) : undefined
}

function isLeaseOwner(owner: unknown): boolean {
  if (typeof owner !== 'object' || owner === null) return false
  const { ownerId, incarnationId, liveness } = owner as Partial<Record<string, unknown>>
  return typeof ownerId === 'string' && typeof incarnationId === 'string' && typeof liveness === 'object'
}

/** The outcome of a state whose writer gave a plain value. */
export function wrapAsOutcome(status: TerminalStatus, value: Json): Outcome {
  switch (status) {
    case 'completed':
      return { status, value }
    case 'failed':
      return { status, ...plainFailure(value) }
    case 'cancelled':
      return { status, message: stringify(value), raw: value }
    case 'abandoned':
      // Nothing is known of who stopped, nor when.
      return { status, evidence: { writer: 'owner_drain', epochMs: 0 } }
  }
}

const plainFailure = (value: Json): Failure => ({
  class: 'execution',
  code: 'process_failed',
  message: stringify(value),
  raw: value,
})
