import type { Compilable, Kysely, RawBuilder } from 'kysely'
import type { Operation } from '../store.ts'
import type { Schema } from './schema.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare, type SqlDialect, type Statement } from './statement.ts'

interface Places<Value> {
  readonly [name: `value_${number}`]: Value
}

/** A statement has a fixed number of places: a few sizes, so that there are few to prepare. */
const SIZES = [1, 2, 16, 256] as const
const LARGEST = 256

/** Statements about a list of values, which stand in their places. */
export type ListStatements<Value, Row> = readonly {
  readonly size: number
  readonly statement: Statement<Places<Value>, Row>
}[]

export const prepareForList = <Value extends string, Row>(
  build: (db: Kysely<Schema>, places: RawBuilder<Value>[], dialect: SqlDialect) => Compilable<Row>,
): ListStatements<Value, Row> =>
  SIZES.map(size => ({
    size,
    statement: prepare((db, p: Named<Places<Value>>, dialect) =>
      build(
        db,
        Array.from({ length: size }, (_, index) => p[`value_${index}`]).flatMap(place => place ?? []),
        dialect,
      ),
    ),
  }))

/** The rows for all of the values, however many: one query for each 256 of them. `ask`: as the session offers. */
export function* allOfList<Value extends string, Row>(
  session: SqlSession,
  statements: ListStatements<Value, Row>,
  values: readonly Value[],
  ask: 'all' | 'seldom' = 'all',
): Operation<Row[]> {
  const rows: Row[] = []
  for (let start = 0; start < values.length; start += LARGEST) {
    const part = values.slice(start, start + LARGEST)
    const fitting = statements.find(({ size }) => size >= part.length)
    if (fitting === undefined) throw new RangeError(`no statement has ${part.length} places`)
    const bindings: { [name: `value_${number}`]: Value } = {}
    for (let index = 0; index < fitting.size; index++) {
      // Places that are left over ask for the first one once more.
      const value = part[index] ?? part[0]
      if (value !== undefined) bindings[`value_${index}`] = value
    }
    rows.push(...(yield* session[ask](fitting.statement, bindings)))
  }
  return rows
}
