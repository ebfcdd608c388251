/** The server's own word on a call: it was answered, and what it did is what the server says. */
export class McpToolError extends Error {
  override readonly name = 'McpToolError'
}

/** Codes that the SDK gives to what is no answer: the connection closed, or the time was over. */
const NO_ANSWER: ReadonlySet<unknown> = new Set([-32_000, -32_001])

/** Did the server answer the call? Anything else leaves open what became of it. */
export function isAnswer(error: unknown): boolean {
  if (error instanceof McpToolError) return true
  if (!(error instanceof Error) || error.name !== 'McpError' || !('code' in error)) return false
  return typeof error.code === 'number' && !NO_ANSWER.has(error.code)
}
