import { Context } from '@temporalio/activity'
import { wallMs } from './clock.ts'
import { BARE_HEARTBEAT_MS } from './settings.ts'
import { untilAborted } from './until-aborted.ts'
import { tellBench } from './worker-messages.ts'

export type BareActivities = ReturnType<typeof createBareActivities>

export const createBareActivities = () => ({
  noop: async (value: number): Promise<number> => value,

  /** A no-op that says when it ran, on this OS process's monotonic clock. */
  monotonicMs: async (): Promise<number> => performance.now(),

  async tellRunning(): Promise<void> {
    const { info } = Context.current()
    tellBench({ type: 'running', id: idOf(info), attempt: info.attempt, atMs: wallMs() })
  },

  async tellEnding(): Promise<void> {
    tellBench({ type: 'ending', id: idOf(Context.current().info), atMs: wallMs() })
  },

  /** Runs until it is cancelled. */
  async wait(): Promise<void> {
    const { info, cancellationSignal } = Context.current()
    const id = idOf(info)
    await whileBeating(() => {
      const aborted = untilAborted(cancellationSignal, () =>
        tellBench({ type: 'aborted', id, atMs: wallMs() }),
      )
      tellBench({ type: 'running', id, attempt: info.attempt, atMs: wallMs() })
      return aborted
    })
  },

  /** The first attempt never ends by itself, the second at once. */
  async crash(): Promise<number> {
    const { info, cancellationSignal } = Context.current()
    tellBench({ type: 'running', id: idOf(info), attempt: info.attempt, atMs: wallMs() })
    if (info.attempt === 1) await whileBeating(() => untilAborted(cancellationSignal))
    return info.attempt
  },
})

const idOf = (info: Context['info']): string => info.workflowExecution?.workflowId ?? ''

async function whileBeating(work: () => Promise<never>): Promise<never> {
  const context = Context.current()
  const timer = setInterval(() => context.heartbeat(), BARE_HEARTBEAT_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
