import { styleText } from 'node:util'

type Style = 'green' | 'red' | 'yellow' | 'dim' | 'bold'

/** Where a command says what it found: for people in lines, with `--json` for programs. */
export interface Output {
  readonly isJson: boolean
  /** The command's one answer. */
  document(value: object, lines: () => readonly string[]): void
  /** One of several answers that come over time: a line in either form. */
  item(value: object, line: () => string): void
  /** What goes on meanwhile, on standard error, so that it is never taken for the answer. */
  note(text: string): void
  /** Coloured on a terminal, unless NO_COLOR is set. */
  paint(style: Style, text: string): string
}

export function createOutput(isJson: boolean): Output {
  const say = (line: string) => process.stdout.write(`${line}\n`)
  return {
    isJson,
    document(value, lines) {
      if (isJson) say(JSON.stringify(value))
      else for (const line of lines()) say(line)
    },
    item: (value, line) => say(isJson ? JSON.stringify(value) : line()),
    note: text => process.stderr.write(`${isJson ? JSON.stringify({ note: text }) : text}\n`),
    paint: (style, text) => styleText(style, text, { stream: process.stdout }),
  }
}
