import { readFile } from 'node:fs/promises'
import type { HistoryAndWorkflowId } from '@temporalio/client'
import proto from '@temporalio/proto'
import { LeaseholdError, messageOf } from '../model/errors.ts'

const { History } = proto.temporal.api.history.v1

/** A history as Temporal's own tools export it: JSON with `events`, by `temporal workflow show --output json` or the UI. */
export async function readHistoryFile(path: string): Promise<HistoryAndWorkflowId> {
  const text = await readFile(path, 'utf8').catch(error => {
    throw unusable(path, messageOf(error))
  })
  const events = eventsOf(parse(text))
  if (events === undefined) throw unusable(path, 'it holds no events')
  // Not by the SDK's own reader of JSON: it fails wherever npm has put two versions of its protobuf library.
  return { workflowId: path, history: History.fromObject({ events }) }
}

function eventsOf(document: unknown): object[] | undefined {
  const events =
    typeof document === 'object' && document !== null && 'events' in document ? document.events : undefined
  return Array.isArray(events) && events.length > 0 && events.every(isEvent) ? events : undefined
}

const isEvent = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && 'eventId' in value && typeof value.eventId === 'string'

function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_, value) => (typeof value === 'string' ? toMessage(value) : value))
  } catch {
    return undefined
  }
}

const MOMENT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/
const SPAN = /^(\d+)(?:\.(\d{1,9}))?s$/

/** Moments and spans of time are text in JSON and messages in protobuf; no other field of a history looks like them. */
function toMessage(value: string): unknown {
  const [, moment, ofMoment] = MOMENT.exec(value) ?? []
  if (moment !== undefined) return { seconds: Date.parse(`${moment}Z`) / 1_000, nanos: nanosOf(ofMoment) }
  const [, seconds, ofSpan] = SPAN.exec(value) ?? []
  return seconds === undefined ? value : { seconds: Number(seconds), nanos: nanosOf(ofSpan) }
}

const nanosOf = (fraction = ''): number => Number(fraction.padEnd(9, '0'))

const unusable = (path: string, reason: string): LeaseholdError =>
  new LeaseholdError(
    'usage',
    `${path} is no history of Temporal’s: ${reason}. Export one: temporal workflow show --workflow-id ID --output json`,
    { details: { file: path } },
  )
