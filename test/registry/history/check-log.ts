import { isDeepStrictEqual } from 'node:util'
import { isTerminal } from '../../../src/model/outcome.ts'
import type { Call } from './call.ts'
import { type StoredHistory, writerOf, writerOfEntry } from './history.ts'

/** What the calls of one process say about its record, its log and its journal. */
export const checkLog = (calls: readonly Call[], stored: StoredHistory): string[] => [
  ...sequencesHaveNoGap(stored),
  ...oneOutcome(calls, stored),
  ...eachAnswerIsStored(calls, stored),
  ...newerFencesWriteLater(calls, stored),
  ...laterAppendsComeLater(calls),
]

function sequencesHaveNoGap({ record, events }: StoredHistory): string[] {
  const sequences = events.map(({ sequence }) => sequence)
  const isWhole = sequences.every((sequence, index) => sequence === index + 1)
  const problems = isWhole ? [] : [`the log has the sequences ${sequences.join(' ')}`]
  if (record.lastSequence !== events.length) {
    problems.push(`the record says ${record.lastSequence} events, the log has ${events.length}`)
  }
  return problems
}

function oneOutcome(calls: readonly Call[], { record, events }: StoredHistory): string[] {
  const ends = events.filter(({ semantics }) => semantics?.terminal !== undefined)
  if (ends.length > 1)
    return [`it ended ${ends.length} times: ${ends.map(({ sequence }) => sequence).join(' ')}`]
  const outcome = ends[0]?.semantics?.terminal?.output
  const problems: string[] = []
  if (!isDeepStrictEqual(record.outcome, outcome) || isTerminal(record.status) !== (ends.length === 1)) {
    problems.push(`the record says ${record.status}, the log ${outcome?.status ?? 'nothing of an end'}`)
  }
  for (const { id, answer } of calls) {
    if (answer?.type !== 'done' || answer.outcome === undefined) continue
    if (!isDeepStrictEqual(answer.outcome, record.outcome)) {
      problems.push(`${id} was answered another outcome than the one stored`)
    }
  }
  return problems
}

/** What was acknowledged is there once, where it was said to be; what was refused is not; what nobody knows, at most once. */
function eachAnswerIsStored(calls: readonly Call[], { events, journal }: StoredHistory): string[] {
  const places = new Map<string, number[]>()
  const note = (writer: string | undefined, place: number): void => {
    if (writer !== undefined) places.set(writer, [...(places.get(writer) ?? []), place])
  }
  for (const event of events) note(writerOf(event), event.sequence)
  for (const entry of journal) note(writerOfEntry(entry), 0)

  const problems: string[] = []
  for (const { id, operation, answer } of calls) {
    const found = places.get(id) ?? []
    places.delete(id)
    if (found.length > 1) problems.push(`${id} wrote ${found.length} times`)
    if (answer?.type === 'refused' && found.length > 0) {
      problems.push(`${id} was refused (${answer.code}), and is stored all the same`)
    }
    if (answer?.type !== 'done') continue
    if (answer.isStored && found.length === 0)
      problems.push(`${id} (${operation}) was answered, and is not stored`)
    if (answer.sequence !== undefined && found[0] !== answer.sequence) {
      problems.push(`${id} was answered sequence ${answer.sequence}, and stands at ${found[0] ?? 'none'}`)
    }
  }
  for (const writer of places.keys()) problems.push(`${writer} is stored, and nobody called it`)
  return problems
}

/** A write under a lease never stands behind one under a newer lease, nor behind the end. */
function newerFencesWriteLater(calls: readonly Call[], { events }: StoredHistory): string[] {
  const byId = new Map(calls.map(call => [call.id, call] as const))
  const problems: string[] = []
  let greatest = 0
  let hasEnded = false
  for (const event of events) {
    const fence = byId.get(writerOf(event) ?? '')?.lease?.fencingToken
    if (fence !== undefined) {
      if (fence < greatest)
        problems.push(`event ${event.sequence} has fence ${fence}, behind fence ${greatest}`)
      if (hasEnded) problems.push(`event ${event.sequence} was written under a lease behind the end`)
      greatest = Math.max(greatest, fence)
    }
    hasEnded ||= event.semantics?.terminal !== undefined
  }
  return problems
}

/** Who appends after another was answered stands behind it. */
function laterAppendsComeLater(calls: readonly Call[]): string[] {
  const appends = calls.flatMap(({ id, invokedAt, answer }) =>
    answer?.type === 'done' && answer.sequence !== undefined
      ? [{ id, invokedAt, returnedAt: answer.returnedAt, sequence: answer.sequence }]
      : [],
  )
  return appends.flatMap(one => {
    const wrong = appends.find(other => other.returnedAt < one.invokedAt && other.sequence > one.sequence)
    return wrong === undefined ? [] : [`${one.id} came after ${wrong.id}, and stands before it`]
  })
}
