import { messageOf } from '../../model/errors.ts'
import type { Json } from '../../model/json.ts'
import type { ToolDefinition } from '../tool.ts'
import { DEFAULT_SHOWN_CHARS, excerptOf } from './excerpt.ts'

/** As the AI SDK gives it to `toModelOutput`. */
export interface ShownCall {
  readonly toolCallId: string
  readonly input: unknown
  readonly output: unknown
}

/** As the tool itself tells the model of its result, but no more than it is to be shown; the journal has all of it. */
export async function shownResult(
  { tool, shownChars = DEFAULT_SHOWN_CHARS }: ToolDefinition,
  call: ShownCall,
): Promise<unknown> {
  const own = (tool as { toModelOutput?: (call: ShownCall) => unknown }).toModelOutput
  if (own !== undefined) return ownWords(() => own.call(tool, call))
  const { output } = call
  const text = typeof output === 'string' ? output : JSON.stringify(output ?? null)
  if (text.length > shownChars) return { type: 'text', value: excerptOf(text, shownChars) } satisfies Json
  return typeof output === 'string'
    ? { type: 'text', value: output }
    : { type: 'json', value: output ?? null }
}

/** The call is made, and another one of the same answer may be under way: that nobody can say what it came to ends neither. */
async function ownWords(toModelOutput: () => unknown): Promise<unknown> {
  try {
    return await toModelOutput()
  } catch (error) {
    const value = `The call was made, and its result cannot be shown: ${messageOf(error)}`
    return { type: 'error-text', value } satisfies Json
  }
}
