import { DEFAULT_PRIORITY, queueOf } from '../../model/flow.ts'
import { isLive } from '../../model/lease.ts'
import { compareBytes } from '../../model/order.ts'
import { immediately } from '../operation.ts'
import type { QueuedProcess, QueuePlace, StoreReader } from '../store.ts'
import type { MemoryState } from './state.ts'

type FlowReader = Pick<StoreReader, 'countPlaces' | 'countQueued' | 'listQueued' | 'loadRate'>

export const createFlowReader = (state: MemoryState): FlowReader => ({
  countPlaces: (key, now, except) =>
    immediately(
      () =>
        state.leases
          .entries()
          .filter(([id, { holder }]) => id !== except && holder?.place === key && isLive(holder, now)).length,
    ),
  countQueued: (queue, before, sinceMs, atMost) =>
    immediately(() => {
      const ahead = queuedRows(state, queue, sinceMs).filter(row => compareQueuePlaces(row, before) < 0)
      return Math.min(atMost, ahead.length)
    }),
  listQueued: (queue, sinceMs, limit) =>
    immediately(() =>
      queuedRows(state, queue, sinceMs)
        .sort(compareQueuePlaces)
        .slice(0, limit)
        .map(({ id, flow, atMs }) => ({ id, flow, ...(atMs === undefined ? {} : { atMs }) })),
    ),
  loadRate: key => immediately(() => state.rates.get(key)),
})

const queuedRows = (state: MemoryState, queue: string, sinceMs: number): (QueuePlace & QueuedProcess)[] =>
  state.processes
    .values()
    .filter(({ record: { turn } }) => turn !== undefined && queueOf(turn) === queue)
    .filter(({ record: { turn } }) => turn?.atMs === undefined || turn.atMs >= sinceMs)
    .map(({ record: { id, createdAtMs, flow = {}, turn } }) => ({
      id,
      createdAtMs,
      priority: flow.priority ?? DEFAULT_PRIORITY,
      flow,
      ...(turn?.atMs === undefined ? {} : { atMs: turn.atMs }),
    }))

const compareQueuePlaces = (left: QueuePlace, right: QueuePlace): number =>
  left.priority - right.priority || left.createdAtMs - right.createdAtMs || compareBytes(left.id, right.id)
