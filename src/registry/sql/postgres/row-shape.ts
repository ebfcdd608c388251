import type pg from 'pg'
import { types } from './connect.ts'

type Row = { [column: string]: unknown }

interface Column {
  readonly name: string
  readonly parse: (text: string) => unknown
}

/** The columns that a statement answers with, and how their texts become a row. */
export class RowShape {
  readonly #columns: readonly Column[]
  readonly #empty: Row

  constructor(fields: readonly pg.FieldDef[]) {
    this.#columns = fields.map(({ name, dataTypeID }) => ({
      name,
      parse: types.getTypeParser(dataTypeID, 'text'),
    }))
    // Parsed, so that the engine lays it out as it does a literal: an object whose members are added by computed names
    // becomes a hash table after a dozen of them, and a page of rows of a process's 45 columns would be a hundred such.
    this.#empty = JSON.parse(JSON.stringify(Object.fromEntries(fields.map(({ name }) => [name, null]))))
  }

  read(texts: readonly (string | null)[]): Row {
    const row = { ...this.#empty }
    for (let index = 0; index < this.#columns.length; index++) {
      const column = this.#columns[index]
      const text = texts[index]
      if (column !== undefined && typeof text === 'string') row[column.name] = column.parse(text)
    }
    return row
  }
}

export const NO_COLUMNS = new RowShape([])
