/** Characters of a tool's result that the model is shown at most, unless the tool says otherwise: some 8,000 tokens. */
export const DEFAULT_SHOWN_CHARS = 32_000

/** What of the limit the beginning of a text gets; the rest is its end, where results and errors stand. */
const HEAD_SHARE = 0.7

/** The text itself, or its beginning and its end with a word on what is left out. */
export function excerptOf(text: string, limit: number): string {
  if (text.length <= limit) return text
  const head = Math.floor(limit * HEAD_SHARE)
  const tail = limit - head
  const left = text.length - limit
  const start = text.slice(0, head).toWellFormed()
  const end = text.slice(text.length - tail).toWellFormed()
  return `${start}\n\n[… ${left} of ${text.length} characters left out. Ask for less, or for a part, to see them …]\n\n${end}`
}
