import type { ModelMessage } from 'ai'
import type { Json } from '../../model/json.ts'

/** What a turn begins with: a text, one message of the user, or several messages as the AI SDK has them. */
export type TurnInput = string | { readonly text: string } | { readonly messages: readonly ModelMessage[] }

const ROLES: ReadonlySet<unknown> = new Set(['user', 'assistant', 'tool'])

/** The messages, or what is wrong with the input, in words that follow "The turn's input". */
export function readTurnInput(
  input: Json,
): { readonly messages: readonly ModelMessage[] } | { readonly problem: string } {
  if (typeof input === 'string') return { messages: [{ role: 'user', content: input }] }
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { problem: 'is a text, { text } or { messages }' }
  const { text, messages } = input as { readonly text?: unknown; readonly messages?: unknown }
  if (typeof text === 'string' && messages === undefined)
    return { messages: [{ role: 'user', content: text }] }
  if (!Array.isArray(messages) || messages.length === 0)
    return { problem: 'is a text, { text } or { messages } with at least one' }
  const place = messages.findIndex(message => !ROLES.has(message?.role) || message.content === undefined)
  if (place >= 0) {
    return {
      problem: `has at messages[${place}] no { role, content } of user, assistant or tool. What a system message would say stands in the policy's instructions`,
    }
  }
  return { messages: messages as readonly ModelMessage[] }
}
