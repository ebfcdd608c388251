import type { ModelMessage } from 'ai'
import type { WaitingInput } from '../../model/session.ts'
import { saidFor } from '../../model/unsaid-news.ts'
import type { BodyContext } from '../tool-call.ts'
import { readTurnInput } from './input.ts'

/**
 * Input that came while a turn ran, taken into it. The turn it was registered as stays what guarantees it: when that has its
 * session, it finds its input among what was said, or says it itself.
 */
export class Steering {
  readonly #ctx: BodyContext
  readonly #waiting: (() => Promise<readonly WaitingInput[]>) | undefined
  readonly #taken = new Set<string>()

  /** Without `waiting` the session is not steered. */
  constructor(ctx: BodyContext, waiting: (() => Promise<readonly WaitingInput[]>) | undefined) {
    this.#ctx = ctx
    this.#waiting = waiting
  }

  /** What is new, as messages; journaled, so that each attempt takes the same. `before`: the number of the model call. */
  async take(before: number): Promise<readonly ModelMessage[]> {
    const waiting = this.#waiting
    if (waiting === undefined) return []
    const look = async () => (await waiting()).filter(({ turnId }) => !this.#taken.has(turnId))
    const found = await this.#ctx.step('inbox', look, { key: String(before) })
    return found.flatMap(({ turnId, input }) => {
      this.#taken.add(turnId)
      const read = readTurnInput(input)
      // What is wrong with it is told by its own turn.
      return 'problem' in read ? [] : read.messages.map(message => marked(message, turnId))
    })
  }
}

function marked(message: ModelMessage, turnId: string): ModelMessage {
  return { ...message, providerOptions: { ...message.providerOptions, ...saidFor(turnId) } }
}
