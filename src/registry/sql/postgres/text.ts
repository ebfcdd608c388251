/**
 * PostgreSQL's text cannot hold the character NUL, which a label or a replay key may contain (JSON's texts never do: it
 * is escaped there). NUL becomes \u0001\u0001, and so \u0001 becomes \u0001\u0002: every text comes back as it was, and the order of
 * texts stays the same.
 */
export const toText = (value: string): string =>
  // Two searches for one character each take next to no time, even in a payload of a megabyte.
  value.includes('\u0000') || value.includes('\u0001')
    ? // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
      value.replace(/[\u0000\u0001]/g, character =>
        character === '\u0000' ? '\u0001\u0001' : '\u0001\u0002',
      )
    : value

export const fromText = (text: string): string =>
  text.includes('\u0001')
    ? // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
      text.replace(/\u0001([\u0001\u0002])/g, (_, second) => (second === '\u0001' ? '\u0000' : '\u0001'))
    : text
