import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type StopSignal = (typeof SIGNALS)[number]

/**
 * One Ctrl-C may arrive twice: from the terminal, and again from npm, which passes on what it gets. What follows so soon
 * is the same keystroke.
 */
const SAME_KEYSTROKE_MS = 300

/** Thrown out of whatever a stop signal interrupted. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signalName: StopSignal
  /** 128 + n, as shells have it. */
  readonly exitCode: number

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`)
    this.signalName = signal
    this.exitCode = 128 + constants.signals[signal]
  }
}

/** What Ctrl-C, a service manager's stop and a closed terminal mean to a command that runs for long. */
export interface Interrupts {
  /** Fires at the first one, with an `Interrupted` as reason. */
  readonly signal: AbortSignal
  /** Resolves at the first one. */
  readonly first: Promise<Interrupted>
}

/** From now on the first signal asks for an orderly stop, and a second one ends the program on the spot. */
export function listenForInterrupts(): Interrupts {
  const controller = new AbortController()
  const { promise: first, resolve } = Promise.withResolvers<Interrupted>()
  let firstAt: number | undefined
  for (const name of SIGNALS) {
    process.on(name, () => {
      const interrupted = new Interrupted(name)
      if (firstAt === undefined) {
        firstAt = performance.now()
        controller.abort(interrupted)
        resolve(interrupted)
      } else if (performance.now() - firstAt > SAME_KEYSTROKE_MS) {
        process.exit(interrupted.exitCode)
      }
    })
  }
  return { signal: controller.signal, first }
}
