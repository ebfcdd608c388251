import { wakeAgeMs } from '../../model/figures.ts'
import type { ProcessId } from '../../model/ids.ts'
import {
  type PageRequest,
  type ProcessListFilter,
  parseListFilter,
  requirePageLimit,
} from '../../model/list.ts'
import { byReference } from '../../model/live-references.ts'
import { immediately, together } from '../operation.ts'
import type { ListOperations, ProcessPage } from '../registry.ts'
import type { ProcessStore } from '../store.ts'

export function createListOperations(store: ProcessStore): ListOperations {
  const list = async (filter: ProcessListFilter = {}, page: PageRequest = {}): Promise<ProcessPage> => {
    const parsed = parseListFilter(filter)
    const limit = requirePageLimit(page.limit)
    return store.read(function* (reader) {
      // The first page of a snapshot goes up to the last row there is, whatever its id: both are asked at once.
      const [greatest, records] = yield* together(
        page.through === undefined ? reader.greatestId() : immediately(() => undefined),
        reader.listProcesses(parsed, {
          after: page.after ?? '',
          ...(page.through === undefined ? {} : { through: page.through }),
          limit,
        }),
      )
      const through = page.through ?? greatest
      if (through === undefined) return { records: [] }
      const last = records.at(-1)
      const isLastPage = last === undefined || records.length < limit || last.id === through
      return isLastPage ? { records } : { records, next: last.id, through }
    })
  }

  return {
    list,

    listNonTerminal: page => list({ status: 'running' }, page),

    filterUnregistered: ids =>
      store.read(function* (reader) {
        const known = new Set<string>(yield* reader.listRegistered([...new Set(ids)] as ProcessId[]))
        return ids.filter(id => !known.has(id))
      }),

    figures: () =>
      store.read(function* (reader) {
        const live = yield* reader.countLive()
        const expiry = yield* reader.earliestWakeExpiry()
        return { live, oldestWakeMs: wakeAgeMs(expiry, yield* reader.now()) }
      }),

    liveReferences: () =>
      store.read(function* (reader) {
        return (yield* reader.countLiveReferences()).toSorted(byReference)
      }),
  }
}
