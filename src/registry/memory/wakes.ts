import { compareBytes } from '../../model/order.ts'
import { isBlockingWake, isOpenWake, type StoredWake } from '../../model/outbox.ts'
import { immediately } from '../operation.ts'
import type { StoreReader, WakeGroup } from '../store.ts'
import type { MemoryState } from './state.ts'

type WakeReader = Pick<
  StoreReader,
  | 'earliestWakeExpiry'
  | 'loadWake'
  | 'listOpenWakes'
  | 'countOpenWakes'
  | 'listWakesOf'
  | 'listDueWakes'
  | 'listWakesClaimedBy'
  | 'nextWakeDue'
  | 'listBlockedWakes'
>

export const createWakeReader = (state: MemoryState): WakeReader => ({
  earliestWakeExpiry: () =>
    immediately(
      () =>
        state.wakes
          .values()
          .filter(isOpenWake)
          .map(({ expiresAtMs }) => expiresAtMs)
          .sort((left, right) => left - right)[0],
    ),
  loadWake: wakeId => immediately(() => state.wakes.get(wakeId)),
  listOpenWakes: (group, limit) => immediately(() => openWakes(state, group).slice(0, limit)),
  countOpenWakes: group => immediately(() => openWakes(state, group).length),
  listWakesOf: (id, limit) =>
    immediately(() => inOrder(state, ({ delivery }) => delivery.processId === id).slice(0, limit)),
  listDueWakes: (now, limit) =>
    immediately(() =>
      dueWakes(state)
        .filter(({ dueAtMs }) => dueAtMs <= now)
        .slice(0, limit)
        .map(({ wake }) => wake),
    ),
  listWakesClaimedBy: worker => immediately(() => inOrder(state, ({ claimedBy }) => claimedBy === worker)),
  nextWakeDue: () => immediately(() => dueWakes(state)[0]?.dueAtMs),
  listBlockedWakes: (after, limit) =>
    immediately(() =>
      state.wakes
        .values()
        .filter(wake => isBlockingWake(wake) && wake.delivery.wakeId > after)
        .sort((left, right) => compareBytes(left.delivery.wakeId, right.delivery.wakeId))
        .slice(0, limit),
    ),
})

function dueWakes(state: MemoryState) {
  return state.wakes
    .values()
    .flatMap(wake => (wake.dueAtMs === undefined ? [] : [{ wake, dueAtMs: wake.dueAtMs }]))
    .sort(
      (left, right) =>
        left.dueAtMs - right.dueAtMs || compareBytes(left.wake.delivery.wakeId, right.wake.delivery.wakeId),
    )
}

const openWakes = (state: MemoryState, { sessionId, processId }: WakeGroup): StoredWake[] =>
  inOrder(state, wake => {
    const { delivery } = wake
    return delivery.targetSessionId === sessionId && delivery.processId === processId && isOpenWake(wake)
  })

const inOrder = (state: MemoryState, isMeant: (wake: StoredWake) => boolean): StoredWake[] =>
  state.wakes
    .values()
    .filter(isMeant)
    .sort(
      ({ delivery: left }, { delivery: right }) =>
        left.sequence - right.sequence || compareBytes(left.wakeId, right.wakeId),
    )
