import type { HandleGrant } from '../../../model/grant.ts'
import type { GrantRow } from '../schema.ts'
import { present } from './present.ts'

export const toGrantRow = ({ scopeId, processId, sessionId, descriptor }: HandleGrant): GrantRow => ({
  scope_id: scopeId,
  process_id: processId,
  session_id: sessionId,
  kind: descriptor.kind ?? null,
  label: descriptor.label ?? null,
})

export const fromGrantRow = (row: GrantRow): HandleGrant => ({
  sessionId: row.session_id,
  scopeId: row.scope_id,
  processId: row.process_id,
  descriptor: present({ kind: row.kind, label: row.label }),
})
