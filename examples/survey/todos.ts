const MARK = /\b(?:TODO|FIXME)[:(].*/
const LONGEST = 120
/** A generated file may hold thousands; the report shows some, so the journal keeps no more than these. */
const MOST = 100

/** The lines with a marker that is meant as one: `TODO:`, or `TODO(name)`. */
export function todosIn(text: string): { line: number; text: string }[] {
  const todos: { line: number; text: string }[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const mark = MARK.exec(line)
    if (mark !== null) todos.push({ line: index + 1, text: clip(mark[0].trim()) })
    if (todos.length === MOST) break
  }
  return todos
}

/** By characters, not by code units: half a character could not be journaled. */
const clip = (text: string): string =>
  text.length <= LONGEST ? text : `${[...text].slice(0, LONGEST).join('')}…`
