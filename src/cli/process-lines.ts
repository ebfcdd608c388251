import { type Turn, turnText } from '../model/flow.ts'
import type { Json } from '../model/json.ts'
import type { Outcome, ProcessStatus } from '../model/outcome.ts'
import type { ProcessInput, ProcessRecord } from '../model/process.ts'
import type { WaitState } from '../model/wait.ts'
import type { Output } from './output.ts'
import { oneLine } from './plain-text.ts'
import { alignColumns } from './table.ts'
import { formatTime } from './time-text.ts'

type Row = readonly [name: string, value: string | undefined, paint?: (text: string) => string]

/** A record as aligned lines; what it does not have has no line. */
export function processLines(record: ProcessRecord, output: Output): string[] {
  const { identity, firstStarted, cancelRequest, abandonRequest, externalRef, silentSinceMs } = record
  return alignRows([
    ['id', record.id],
    ['kind', identity.kind],
    ['label', identity.label],
    ['disposition', record.disposition],
    ['input', inputText(record.input)],
    ['attempts', attemptsText(record)],
    ['created', formatTime(record.createdAtMs)],
    ['begun', firstStarted && `${formatTime(firstStarted.startedAtMs)} by ${firstStarted.owner.ownerId}`],
    ['updated', formatTime(record.updatedAtMs)],
    ['runs on', externalRef && `${externalRef.backend}, as ${externalRef.id}`],
    ['cancel', cancelRequest && askedText(cancelRequest)],
    ['abandon', abandonRequest && `${askedText(abandonRequest)}, by ${abandonRequest.requestedBy}`],
    ['silent', silentSinceMs === undefined ? undefined : `since ${formatTime(silentSinceMs)}`],
    ['waits for', waitsText(record.waits)],
    ['queued for', record.turn && queuedText(record.turn)],
    ['status', record.status, () => paintStatus(record.status, output)],
    ...(record.outcome === undefined ? [] : outcomeRows(record.outcome)),
  ])
}

export const outcomeLines = (outcome: Outcome, output: Output): string[] =>
  alignRows([['status', outcome.status, () => paintStatus(outcome.status, output)], ...outcomeRows(outcome)])

/** Names and values under each other, each value in one line; a row without a value is left out. */
export const alignRows = (rows: readonly Row[]): string[] =>
  alignColumns(
    rows.flatMap(([name, value, paint = oneLine]) => (value === undefined ? [] : [[name, paint(value)]])),
  )

export function paintStatus(status: ProcessStatus, output: Output): string {
  if (status === 'running') return status
  if (status === 'completed') return output.paint('green', status)
  return output.paint(status === 'cancelled' ? 'yellow' : 'red', status)
}

export const waitsText = (waits: readonly WaitState[]): string | undefined =>
  waits.length === 0 ? undefined : waits.map(waitText).join(', ')

function waitText({ on, untilMs }: WaitState): string {
  return untilMs === undefined ? on.type : `${on.type} until ${formatTime(untilMs)}`
}

export const queuedText = (turn: Turn): string =>
  turn.atMs === undefined ? turnText(turn) : `${turnText(turn)}, its turn at ${formatTime(turn.atMs)}`

function outcomeRows(outcome: Outcome): Row[] {
  switch (outcome.status) {
    case 'completed':
      return [['value', JSON.stringify(outcome.value)]]
    case 'failed':
      return [['failure', `${outcome.code}: ${outcome.message}`], ...rawRow(outcome.raw)]
    case 'cancelled':
      return [['reason', outcome.message], ...rawRow(outcome.raw)]
    case 'abandoned':
      return [['evidence', JSON.stringify(outcome.evidence)]]
  }
}

const rawRow = (raw: Json | undefined): Row[] => (raw === undefined ? [] : [['details', JSON.stringify(raw)]])

function inputText(input: ProcessInput): string {
  switch (input.type) {
    case 'engine':
      return JSON.stringify(input.payload)
    case 'tool_call':
      return `${input.call.toolName} ${JSON.stringify(input.call.args)}`
    case 'session_turn':
      return JSON.stringify(input.turnInput)
    case 'external':
      return JSON.stringify(input.metadata)
  }
}

const attemptsText = ({ attempts, maxAttempts }: ProcessRecord): string =>
  maxAttempts === undefined ? String(attempts) : `${attempts} of at most ${maxAttempts}`

const askedText = (request: { readonly requestedAtMs: number; readonly reason?: string }): string =>
  `requested ${formatTime(request.requestedAtMs)}${request.reason === undefined ? '' : `: ${request.reason}`}`
