import type { ConnectionLike } from '@temporalio/client'
import { type Poller, pollersOf, type QueueAddress } from '../task-queue-pollers.ts'
import { requireNamespace } from '../temporal-server.ts'
import type { TemporalSettings } from '../temporal-settings.ts'
import { formatDuration } from '../time-text.ts'
import { type Check, failed, ok, warn } from './check.ts'

/** The server stamps a poller when it comes; its clock may be read from that, as far as seconds go. */
const CLOCK_TOLERANCE_MS = 2_000

export async function checkServer(connection: ConnectionLike, { address }: TemporalSettings): Promise<Check> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({})
  return ok('temporal', `${address}: server ${serverVersion || 'of unknown version'}`)
}

export async function checkNamespace(connection: ConnectionLike, temporal: TemporalSettings): Promise<Check> {
  try {
    await requireNamespace(connection, temporal)
    return ok('namespace', temporal.namespace)
  } catch (error) {
    return failed('namespace', error)
  }
}

export async function checkWorkers(
  connection: ConnectionLike,
  queue: QueueAddress,
): Promise<readonly Check[]> {
  const pollers = await pollersOf(connection, queue)
  const { taskQueue } = queue
  if (pollers.length === 0) {
    const none = warn(
      'workers',
      `no worker has polled ${taskQueue} lately`,
      'Start one with "leasehold worker --host FILE", or correct LEASEHOLD_TASK_QUEUE; until then processes are only recorded.',
    )
    return [none]
  }
  const names = pollers.map(({ identity }) => identity).join(', ')
  return [ok('workers', `${pollers.length} on ${taskQueue}: ${names}`), checkClock(pollers)]
}

/** A SQLite registry's clock is this machine's, so the server's is the only other one. */
function checkClock(pollers: readonly Poller[]): Check {
  const lastSeenMs = Math.max(...pollers.map(poller => poller.lastSeenMs ?? 0))
  const aheadMs = lastSeenMs - Date.now()
  if (aheadMs <= CLOCK_TOLERANCE_MS) return ok('clock', 'the server’s is not ahead of this machine’s')
  return warn(
    'clock',
    `the server’s is at least ${formatDuration(aheadMs)} ahead of this machine’s`,
    'Set both by NTP: deadlines and leases are read from them.',
  )
}
