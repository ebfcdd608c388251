import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionLike } from '@temporalio/client'

/** The server's numbers for the two kinds of work on a queue. */
const TASK_TYPES = { workflow: 1, activity: 2 } as const

const LOOK_EVERY_MS = 50
/** A server that spreads a queue over partitions may not show every poller: then the start is believed. */
const GIVE_UP_MS = 5_000

export interface Poller {
  readonly identity: string
  /** By the server's clock. */
  readonly lastSeenMs: number | undefined
}

export interface QueueAddress {
  readonly namespace: string
  readonly taskQueue: string
}

/** Workers that have asked this queue for processes lately: the server remembers them for some minutes. */
export async function pollersOf(
  connection: ConnectionLike,
  { namespace, taskQueue }: QueueAddress,
  type: keyof typeof TASK_TYPES = 'activity',
): Promise<Poller[]> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: TASK_TYPES[type],
  })
  return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
    identity: identity ?? '',
    lastSeenMs: lastAccessTime?.seconds == null ? undefined : Number(lastAccessTime.seconds) * 1_000,
  }))
}

/** Resolves when the server has seen this worker poll for both kinds of work. */
export async function untilPolling(
  connection: ConnectionLike,
  queue: QueueAddress,
  identity: string,
): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS
  for (const type of ['workflow', 'activity'] as const) {
    const isSeen = async () =>
      (await pollersOf(connection, queue, type)).some(one => one.identity === identity)
    while (!(await isSeen()) && performance.now() < deadline) await sleep(LOOK_EVERY_MS)
  }
}
