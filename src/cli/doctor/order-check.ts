import { randomUUID } from 'node:crypto'
import type { Client } from '@temporalio/client'
import { messageOf } from '../../model/errors.ts'
import { type Check, ok, warn } from './check.ts'

/** Of a priority that is no default, so that it shows where the server keeps it. */
const PRIORITY = 5
/**
 * One key's tasks, and then another's: who serves keys in turn gives the last one out second. Fewer of the first key would
 * let a server that spreads a queue over partitions, each in order of age, give it out second by chance.
 */
const KEYS = ['a', 'a', 'a', 'a', 'a', 'a', 'b'] as const
const TASK_QUEUE_TYPE_WORKFLOW = 1
const TASK_QUEUE_KIND_NORMAL = 1
const PATIENCE_MS = 15_000
/** Before the first look, since the server gives the same answer for five seconds, and that is to be the whole one. */
const ARRIVAL_MS = 500

/**
 * Does the server heed priorities and fairness keys? No capability says so, and it takes both without a word where it
 * ignores them. So it is given tasks, on a task queue that nobody else has, and looked at what it does with them.
 */
export async function checkOrder(client: Client): Promise<Check> {
  const taskQueue = `leasehold-doctor-${randomUUID()}`
  const handles: { terminate(reason?: string): Promise<unknown> }[] = []
  try {
    for (const fairnessKey of KEYS) {
      const options = {
        taskQueue,
        workflowId: `${taskQueue}-${handles.length}-${fairnessKey}`,
        workflowExecutionTimeout: '1 minute',
        priority: { priorityKey: PRIORITY, fairnessKey },
      } as const
      handles.push(await client.workflow.start('leasehold-doctor', options))
    }
    const byPriority = await backlogByPriority(client, taskQueue)
    const order = [await takeTask(client, taskQueue), await takeTask(client, taskQueue)]
    return judge({ isPriority: (byPriority.get(PRIORITY) ?? 0) > 0, isFair: order.includes('b') })
  } catch (error) {
    return warn('order', `whether the server heeds priorities could not be tried: ${messageOf(error)}`)
  } finally {
    await Promise.allSettled(handles.map(handle => handle.terminate('looked at by leasehold doctor')))
  }
}

function judge({ isPriority, isFair }: { readonly isPriority: boolean; readonly isFair: boolean }): Check {
  if (isPriority && isFair) return ok('order', 'the server heeds priorities and fairness keys')
  const ignored = isPriority ? 'fairness keys' : isFair ? 'priorities' : 'priorities and fairness keys'
  return warn(
    'order',
    `the server takes ${ignored} and ignores them`,
    'Switch matching.useNewMatcher and matching.enableFairness on in its dynamic configuration, if processes are started with them.',
  )
}

/** When all tasks have come to the queue. */
async function backlogByPriority(client: Client, name: string): Promise<Map<number, number>> {
  const { workflowService } = client.connection
  const deadline = Date.now() + PATIENCE_MS
  while (true) {
    await new Promise(resolve => setTimeout(resolve, ARRIVAL_MS))
    const { statsByPriorityKey = {} } = await workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name, kind: TASK_QUEUE_KIND_NORMAL },
      taskQueueType: TASK_QUEUE_TYPE_WORKFLOW,
      reportStats: true,
    })
    const counts = Object.entries(statsByPriorityKey ?? {}).map(
      ([key, stats]) => [Number(key), Number(stats.approximateBacklogCount ?? 0)] as const,
    )
    const all = counts.reduce((sum, [, count]) => sum + count, 0)
    if (all >= KEYS.length || Date.now() > deadline) return new Map(counts)
  }
}

/** The fairness key of the task that the server gives out next. */
async function takeTask(client: Client, name: string): Promise<string> {
  const { workflowService } = client.connection
  const { workflowExecution } = await client.withDeadline(Date.now() + PATIENCE_MS, () =>
    workflowService.pollWorkflowTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name, kind: TASK_QUEUE_KIND_NORMAL },
      identity: 'leasehold doctor',
    }),
  )
  return workflowExecution?.workflowId?.at(-1) ?? ''
}
