import { fromJson, type Json } from './json.ts'
import { covers, type StreamDelta, type StreamEntry } from './stream.ts'

/** A chunk of the AI SDK's UI message stream, as far as it matters here. */
export interface UiChunk {
  readonly type: string
  readonly [field: string]: Json | undefined
}

const RESET_STEP: UiChunk = { type: 'reset-step' }

/** How a chat that has shown chunks is told of the next entries of their channel. */
export class UiMessages {
  /** Added to in place: an answer may have many thousands. */
  #shown: StreamDelta[]

  /** `standing`: what a chat that comes late is shown first. */
  constructor(standing: readonly StreamDelta[] = []) {
    this.#shown = [...standing]
  }

  get chunks(): readonly UiChunk[] {
    return this.#shown.map(chunkOf)
  }

  /**
   * What to show for the entry. A chat can take back what belongs to its current step: that is shown anew, without what
   * was retracted. What was said before cannot be taken back there: `undefined`, and the chat has to read again.
   */
  next(entry: StreamEntry): readonly UiChunk[] | undefined {
    if (entry.type === 'delta') {
      this.#shown.push(entry)
      return [chunkOf(entry)]
    }
    const isGone = ({ offset }: StreamDelta): boolean => covers(entry.retracted, offset)
    const first = this.#shown.findIndex(isGone)
    if (first === -1) return []
    const step = this.#shown.findLastIndex(delta => chunkOf(delta).type === 'start-step')
    if (first < step) return undefined
    // The step's own start stays shown, for there is no chunk that takes it back.
    const kept = this.#shown.slice(step + 1).filter(delta => !isGone(delta))
    this.#shown = [...this.#shown.slice(0, step + 1), ...kept]
    return [RESET_STEP, ...kept.map(chunkOf)]
  }
}

const chunkOf = ({ data }: StreamDelta): UiChunk => fromJson<UiChunk>(data)
