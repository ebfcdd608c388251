import { LeaseholdError } from './errors.ts'

/** A session, optionally narrowed to one agent frame. An empty frame counts as none. */
export interface SessionScope {
  readonly sessionId: string
  readonly agentFrameId?: string
}

/** As for process ids: scopes are indexed, and a database's index has a longest key. */
export const MAX_SCOPE_PART_BYTES = 512

const FRAME = '/frame:'

/** The scope's own name: `session:S`, or `session:S/frame:F`. Different scopes have different ones. */
export const scopeId = ({ sessionId, agentFrameId }: SessionScope): string =>
  isFrame(agentFrameId) ? `session:${sessionId}${FRAME}${agentFrameId}` : `session:${sessionId}`

/** The scope of that name, in the session that is known to be its own. */
export function scopeOf(sessionId: string, id: string): SessionScope {
  const agentFrameId = id.slice(scopeId({ sessionId }).length + FRAME.length)
  return withoutEmptyFrame({ sessionId, agentFrameId })
}

/** What is wrong with the scope, in words; `undefined` where nothing is. */
export function brokenScopeRule({ sessionId, agentFrameId = '' }: SessionScope): string | undefined {
  if (typeof sessionId !== 'string' || sessionId.trim() === '') return 'names no session'
  // Else a session could be named so that its scope is another session's frame, with all that is granted to that.
  if (sessionId.includes(FRAME)) return `has a session id with "${FRAME}", which separates session and frame`
  for (const part of [sessionId, agentFrameId]) {
    if (!part.isWellFormed()) return 'has an id that is not well-formed Unicode'
    const bytes = Buffer.byteLength(part)
    if (bytes > MAX_SCOPE_PART_BYTES)
      return `has an id of ${bytes} bytes; the limit is ${MAX_SCOPE_PART_BYTES}`
  }
  return undefined
}

/** The scope as it is stored, without an empty frame; or `session_scope_invalid`. */
export function requireSessionScope(scope: SessionScope): SessionScope {
  const broken = brokenScopeRule(scope)
  if (broken === undefined) return withoutEmptyFrame(scope)
  throw new LeaseholdError('session_scope_invalid', `The session scope ${broken}.`)
}

export const withoutEmptyFrame = ({ sessionId, agentFrameId }: SessionScope): SessionScope =>
  isFrame(agentFrameId) ? { sessionId, agentFrameId } : { sessionId }

const isFrame = (agentFrameId: string | undefined): agentFrameId is string => (agentFrameId ?? '') !== ''
