import type { LiveParts } from './live-parts.ts'
import { type ModelAnswer, type ModelCallRecord, readParts, storedParts } from './model-call.ts'
import type { ModelPart, ModelTokens } from './model-types.ts'

/** Parts that are given when the journal has them. */
export interface Held {
  parts: ModelPart[]
  /** Something was given before that. */
  isGiven: boolean
}

interface StreamReader {
  readonly live: LiveParts
  readonly held: Held
  readonly tell: (part: ModelPart) => void
}

const NO_TOKENS: ModelTokens = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
}

/** What says how the answer begins, and nothing of the answer itself: a try that fails after it may be made again. */
const PREAMBLE: ReadonlySet<ModelPart['type']> = new Set(['stream-start', 'response-metadata', 'ping', 'raw'])

/** What somebody acts on. */
const ACTED_ON: ReadonlySet<ModelPart['type']> = new Set([
  'tool-call',
  'tool-result',
  'tool-approval-request',
  'finish',
])

/** Reads the answer to its end, whoever listens. */
export async function readStream(
  stream: ReadableStream<ModelPart>,
  { live, held, tell }: StreamReader,
): Promise<ModelAnswer> {
  const parts: ModelPart[] = []
  let tokens = NO_TOKENS
  let given = 0
  let isHeld = false
  for await (const part of stream) {
    if (part.type === 'error') throw part.error
    if (part.type === 'finish') tokens = part.usage
    parts.push(part)
    tell(part)
    isHeld ||= ACTED_ON.has(part.type)
    if (isHeld || PREAMBLE.has(part.type)) continue
    held.isGiven = true
    for (const next of parts.slice(given)) live.push(next)
    given = parts.length
  }
  // A connection that was cut looks like the end: what has come is no answer.
  if (!parts.some(({ type }) => type === 'finish')) throw cutShort()
  held.parts = parts.slice(given)
  return { answer: storedParts(parts), tokens }
}

/** As the AI SDK's errors say of themselves that the call may be made again. */
const cutShort = (): Error =>
  Object.assign(new Error("the model's stream ended before the model was done"), { isRetryable: true })

/** Its parts as they come, then what was held back; from the journal, all of them. A reader that goes away ends nothing. */
export function streamOf(
  called: Promise<ModelCallRecord>,
  { live, held }: Pick<StreamReader, 'live' | 'held'>,
): ReadableStream<ModelPart> {
  const journaled = called.finally(() => live.end())
  journaled.catch(() => {})
  let isWanted = true
  const pump = async (controller: ReadableStreamDefaultController<ModelPart>) => {
    const give = (part: ModelPart) => {
      if (isWanted) controller.enqueue(part)
    }
    try {
      for await (const part of live) give(part)
      const record = await journaled
      for (const part of held.isGiven ? held.parts : readParts(record)) give(part)
    } catch (error) {
      give({ type: 'error', error })
    }
    if (isWanted) controller.close()
  }
  return new ReadableStream<ModelPart>({
    start: controller => void pump(controller),
    cancel: () => {
      isWanted = false
    },
  })
}
