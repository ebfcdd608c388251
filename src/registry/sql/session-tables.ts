import type { Json } from '../../model/json.ts'
import type { CausalRef } from '../../model/provenance.ts'
import type { Session, SessionEntry } from '../../model/session.ts'
import type { JsonText } from './json-text.ts'

export interface SessionRow {
  readonly session_id: string
  readonly policy: JsonText<Session['policy']>
  readonly plugin_options: JsonText<Session['pluginOptions']>
  readonly caused_by: JsonText<CausalRef> | null
  /** The turn that may append. Null: nobody has it. */
  readonly open_for: string | null
  readonly closed_at: number | null
  readonly last_position: number
  readonly version: number
  readonly created_at: number
  readonly updated_at: number
}

export interface WaitingTurnRow {
  readonly session_id: string
  readonly position: number
  readonly turn_id: string
}

export interface SessionTombstoneRow {
  readonly session_id: string
  readonly deleted_at: number
}

export interface SessionEntryRow {
  readonly session_id: string
  readonly position: number
  readonly turn_id: string
  readonly kind: SessionEntry['kind']
  readonly message: JsonText<Json>
  readonly appended_at: number
}
