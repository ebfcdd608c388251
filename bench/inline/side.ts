import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** One step that does nothing; three of them; or an agent's turn of two model calls and one tool call. */
export type Body = 'one' | 'three' | 'turn'

/** What one of the compared systems is asked to do, in an OS process of its own. */
export type Measure =
  /** Milliseconds from start to outcome, p50 of so many one after the other. */
  | { readonly type: 'latency'; readonly of: Body; readonly runs: number }
  /** Processes per second with so many in flight. */
  | { readonly type: 'rate'; readonly inFlight: number; readonly forMs: number }
  /** Milliseconds of one step, of so many in a row. */
  | { readonly type: 'step'; readonly steps: number }

export type SideMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'measured'; readonly value: number }
  | { readonly type: 'failed'; readonly error: string }

export interface Side extends AsyncDisposable {
  measure(measure: Measure): Promise<number>
}

/** Starts `<script>` of this folder, which answers one measure at a time; it ends with the bench. */
export async function startSide(script: string, args: readonly string[]): Promise<Side> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args)
  const exited = once(child, 'exit')
  const next = async (): Promise<SideMessage> => {
    const ended = exited.then(([code]): never => {
      throw new Error(`${script} ended with ${code}; see what it printed.`)
    })
    const [message]: SideMessage[] = await Promise.race([once(child, 'message'), ended])
    if (message === undefined || message.type === 'failed') throw new Error(`${script}: ${message?.error}`)
    return message
  }
  await next()
  return {
    async measure(measure) {
      const answer = next()
      child.send(measure)
      const message = await answer
      if (message.type !== 'measured') throw new Error(`${script} answered ${message.type}.`)
      return message.value
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await exited
    },
  }
}
