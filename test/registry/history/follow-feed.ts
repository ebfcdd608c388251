import type { ProcessEvent } from '../../../src/model/event.ts'
import type { ProcessRegistry } from '../../../src/registry/registry.ts'
import { BEGINNING } from '../store-fixtures.ts'
import type { Followed } from './history.ts'

/** Few, so that most readings of a busy registry take several. */
const PAGE = 3

/**
 * Reads the change feed while others write, and of each process that it is told of the events that it has not read yet,
 * as somebody would who keeps a copy.
 */
export function followFeed(registry: ProcessRegistry) {
  const told: string[] = []
  const events = new Map<string, ProcessEvent[]>()
  let cursor = BEGINNING
  let isStopped = false
  let wake = (): void => {}
  const unwatch = registry.watch(() => wake(), { everyMs: 5 })

  /** Up to where the feed says that there is nothing more. */
  async function readOn(from: ProcessRegistry): Promise<void> {
    for (;;) {
      const { changes, next } = await from.changesSince(cursor, PAGE)
      if (changes.length === 0) return
      cursor = next
      for (const { id } of changes) {
        told.push(id)
        const read = events.get(id) ?? []
        const more = await from.eventsAfter(id, read.at(-1)?.sequence ?? 0, 100_000)
        events.set(id, [...read, ...more])
      }
    }
  }

  const following = (async () => {
    while (!isStopped) {
      const changed = new Promise<void>(resolve => {
        wake = resolve
      })
      await readOn(registry)
      if (!isStopped) await changed
    }
  })()

  return {
    /** Reads what is left from the registry given, and says all that it was told. */
    async stop(settled: ProcessRegistry): Promise<Followed> {
      isStopped = true
      wake()
      await following
      unwatch()
      await readOn(settled)
      return { told, events: Object.fromEntries(events) }
    },
  }
}
