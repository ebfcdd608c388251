import {
  brokenScopeRule,
  MAX_SCOPE_PART_BYTES,
  type SessionScope,
  scopeId,
  withoutEmptyFrame,
} from './session-scope.ts'

/** Pure history: it grants nothing, routes nothing and is never rewritten. */
export interface Provenance {
  readonly originator: Originator
  readonly causedBy?: CausalRef
  /** The profile of host that the process was made for; absent or empty: any. */
  readonly hostProfileId?: string
}

export type Originator =
  | { readonly type: 'host'; readonly scope?: string }
  | { readonly type: 'session'; readonly scope: SessionScope }

/** The fact that led to this one. */
export type CausalRef =
  | { readonly type: 'turn'; readonly sessionId: string; readonly turnId: string }
  | {
      readonly type: 'effect'
      readonly sessionId: string
      readonly turnId?: string
      readonly effectId: string
    }
  | { readonly type: 'tool_call'; readonly sessionId: string; readonly callId: string }
  | { readonly type: 'process'; readonly processId: string }
  | { readonly type: 'process_event'; readonly processId: string; readonly sequence: number }
  | {
      readonly type: 'trigger_occurrence'
      readonly occurrenceId: string
      readonly subscriptionId?: string
      readonly subscriptionIncarnation?: string
      readonly subscriptionRevision?: number
    }
  | { readonly type: 'session_node'; readonly sessionId: string; readonly nodeId: string }

/** `host`, `host:<scope>`, or the session's scope id. */
export function originatorScopeId(originator: Originator): string {
  if (originator.type === 'session') return scopeId(originator.scope)
  return isEmpty(originator.scope) ? 'host' : `host:${originator.scope}`
}

/** The occurrence and subscription of a trigger that caused it, for finding all that came of them. */
export const triggerOf = ({ causedBy }: Provenance): { occurrenceId?: string; subscriptionId?: string } =>
  causedBy?.type === 'trigger_occurrence' ? causedBy : {}

/** What is wrong with the provenance, in words; `undefined` where nothing is. */
export function brokenProvenanceRule({ originator, causedBy }: Provenance): string | undefined {
  if (originator.type === 'session') {
    const broken = brokenScopeRule(originator.scope)
    if (broken !== undefined) return `has an originator that ${broken}`
  } else if (tooLong(originator.scope)) {
    return `has an originator whose scope is longer than ${MAX_SCOPE_PART_BYTES} bytes`
  }
  for (const [field, value] of Object.entries(causedBy ?? {})) {
    if (typeof value !== 'string') continue
    if (value.trim() === '') return `is caused by a ${causedBy?.type} whose ${field} is blank`
    if (tooLong(value)) {
      return `is caused by a ${causedBy?.type} whose ${field} is longer than ${MAX_SCOPE_PART_BYTES} bytes`
    }
  }
  return undefined
}

/** As it is stored: an empty frame or host scope is none, so that one originator has one form and one hash. */
export function canonicalProvenance(provenance: Provenance): Provenance {
  const { originator } = provenance
  if (originator.type === 'session') {
    return { ...provenance, originator: { type: 'session', scope: withoutEmptyFrame(originator.scope) } }
  }
  return isEmpty(originator.scope) ? { ...provenance, originator: { type: 'host' } } : provenance
}

const isEmpty = (text: string | undefined): boolean => (text ?? '') === ''
const tooLong = (text: string | undefined): boolean => Buffer.byteLength(text ?? '') > MAX_SCOPE_PART_BYTES
