import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { WorkerMessage } from './worker-messages.ts'

/** How long a worker may take until it says that it is ready: the bare one bundles its workflows first. */
const READY_WITHIN_MS = 120_000

type MessageOf<Type extends WorkerMessage['type']> = Extract<WorkerMessage, { type: Type }>

/** A worker in an OS process of its own, as users run them. */
export interface WorkerProcess extends AsyncDisposable {
  readonly pid: number
  /** The message of this type about this id; one that came before the call counts. */
  next<Type extends 'running' | 'ending' | 'aborted' | 'woken'>(
    type: Type,
    id: string,
  ): Promise<MessageOf<Type>>
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill(): Promise<void>
}

/** Starts `support/<script>` and waits until it takes tasks. */
export async function startWorker(script: string, args: readonly string[]): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args)
  const exited = once(child, 'exit')
  const mailbox = new Mailbox(child)
  try {
    await mailbox.take('ready')
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  return {
    pid: child.pid ?? 0,
    next: (type, id) => mailbox.take(type, id),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  }
}

/** Keeps messages until somebody asks for them. */
class Mailbox {
  readonly #messages: WorkerMessage[] = []
  readonly #waiting = new Set<() => void>()
  #isGone = false

  constructor(child: ChildProcess) {
    child.on('message', (message: WorkerMessage) => {
      this.#messages.push(message)
      for (const look of this.#waiting) look()
    })
    child.on('exit', () => {
      this.#isGone = true
      for (const look of this.#waiting) look()
    })
  }

  take<Type extends WorkerMessage['type']>(type: Type, id?: string): Promise<MessageOf<Type>> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer)
        this.#waiting.delete(look)
      }
      const look = () => {
        const found = this.#messages.findIndex(message => isWanted(message, type, id))
        const [message] = found === -1 ? [] : this.#messages.splice(found, 1)
        if (message !== undefined) {
          stop()
          resolve(message as MessageOf<Type>)
        } else if (this.#isGone) {
          stop()
          reject(new Error(`The worker ended without the message "${type}"; see what it printed.`))
        }
      }
      const timer = setTimeout(() => {
        stop()
        reject(new Error(`No message "${type}" within ${READY_WITHIN_MS / 1_000} s.`))
      }, READY_WITHIN_MS)
      this.#waiting.add(look)
      look()
    })
  }
}

const isWanted = (message: WorkerMessage, type: WorkerMessage['type'], id: string | undefined): boolean =>
  message.type === type && (id === undefined || ('id' in message && message.id === id))
