/**
 * Text of others (labels, messages, ids) as people may see it: a control character in it would move the cursor or recolour
 * the terminal of whoever looks.
 */
export const oneLine = (text: string): string => text.replaceAll(/\p{Cc}/gu, escaped)

/** The same for text that may have several lines. */
export const manyLines = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]/gu, escaped)

/** As JSON writes it, which leaves those above U+007F as they are. */
function escaped(character: string): string {
  const short = JSON.stringify(character).slice(1, -1)
  return short === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : short
}
