import { isDeepStrictEqual } from 'node:util'
import { checkLeases } from './check-leases.ts'
import { checkLog } from './check-log.ts'
import type { Followed, History, StoredHistory } from './history.ts'

/** Whatever a registry that keeps its promises cannot have answered or stored, in words; nothing, if it has kept them. */
export function checkHistory({ calls, stored, followed }: History): string[] {
  const ofProcesses = stored.flatMap(process => {
    const own = calls.filter(call => call.process === process.record.id)
    return [...checkLeases(own), ...checkLog(own, process)].map(problem => `${process.record.id}: ${problem}`)
  })
  const known = new Set<string>(stored.map(({ record }) => record.id))
  const lost = calls
    .filter(({ process, answer }) => answer?.type === 'done' && !known.has(process))
    .map(({ process, id }) => `${process}: ${id} was answered, but the feed has no such process`)
  return [...ofProcesses, ...lost, ...checkFollower(stored, followed)]
}

/** A reader who follows the feed misses nothing, and is told of the rows' last changes in their order. */
function checkFollower(stored: readonly StoredHistory[], followed: Followed): string[] {
  const problems: string[] = []
  for (const { record, events } of stored) {
    const read = followed.events[record.id] ?? []
    if (!isDeepStrictEqual(read, events)) {
      const sequences = read.map(({ sequence }) => sequence).join(' ')
      problems.push(`${record.id}: the follower read the events ${sequences}; ${events.length} are stored`)
    }
  }
  const lastTold = followed.told.filter((id, index) => followed.told.lastIndexOf(id) === index)
  const order = stored.map(({ record }) => String(record.id))
  if (!isDeepStrictEqual(lastTold, order)) {
    problems.push(
      `the follower was last told of ${lastTold.join(' ')}; the feed's order is ${order.join(' ')}`,
    )
  }
  return problems
}
