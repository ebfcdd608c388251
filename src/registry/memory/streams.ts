import type { ProcessId } from '../../model/ids.ts'
import { compareBytes } from '../../model/order.ts'
import { type StreamRow, stepOf } from '../../model/stream.ts'
import { immediately } from '../operation.ts'
import type { LeaseGuard, StoreReader, StoreTransaction } from '../store.ts'
import { frozenCopy } from './frozen.ts'
import { type MemoryState, streamKey } from './state.ts'

type StreamReader = Pick<
  StoreReader,
  'listStreamRows' | 'listStreamHeads' | 'listOutsideRows' | 'listStepSpans'
>

export const createStreamReader = (state: MemoryState): StreamReader => ({
  listStreamRows: (id, channel, from, limit) =>
    immediately(() =>
      (state.streams.get(streamKey(id, channel)) ?? []).filter(({ to }) => to > from).slice(0, limit),
    ),
  listStreamHeads: id =>
    immediately(() =>
      state.streams
        .values()
        .flatMap(rows => {
          const last = rows.at(-1)
          return last?.processId === id ? [{ channel: last.channel, next: last.to }] : []
        })
        .sort((left, right) => compareBytes(left.channel, right.channel)),
    ),
  listOutsideRows: (id, epoch) =>
    immediately(() => rowsOf(state, id, epoch).filter(({ content }) => stepOf(content) === undefined)),
  listStepSpans: (id, epoch) =>
    immediately(() => {
      const rows = rowsOf(state, id, epoch).filter(({ content }) => stepOf(content) !== undefined)
      const last = Math.max(...rows.map(({ attempt }) => attempt))
      return rows.flatMap(({ channel, from, to, attempt, content }) => {
        const step = stepOf(content)
        return attempt === last && step !== undefined ? [{ channel, step, from, to }] : []
      })
    }),
})

const rowsOf = (state: MemoryState, id: ProcessId, epoch: number): StreamRow[] =>
  [...state.streams.values()].flat().filter(row => row.processId === id && row.epoch === epoch)

export const createStreamWriter = (
  state: MemoryState,
  holds: (id: Parameters<StreamReader['listStreamHeads']>[0], guard: LeaseGuard) => boolean,
): Pick<StoreTransaction, 'insertStreamRow'> => ({
  insertStreamRow: (row, guard) =>
    immediately(() => {
      const key = streamKey(row.processId, row.channel)
      const rows = state.streams.get(key) ?? []
      if (!holds(row.processId, guard) || (rows.at(-1)?.to ?? 0) !== row.from) return false
      state.streams.set(key, [...rows, frozenCopy(row)])
      return true
    }),
})
