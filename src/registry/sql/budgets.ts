import type { Kysely } from 'kysely'
import type { BudgetLedger } from '../../model/budget.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { Operation } from '../store.ts'
import { decode, encode } from './json-text.ts'
import type { BudgetRow, Schema } from './schema.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare } from './statement.ts'

const byId = (db: Kysely<Schema>, p: Named<{ id: ProcessId }>) =>
  db.selectFrom('budgets').selectAll().where('process_id', '=', p.id)

const selectBudget = prepare((db, p: Named<{ id: ProcessId }>) => byId(db, p))
const lockBudget = prepare((db, p: Named<{ id: ProcessId }>, { forUpdate }) => forUpdate(byId(db, p)))

export function* loadBudget(session: SqlSession, id: ProcessId): Operation<BudgetLedger | undefined> {
  const [row] = yield* session.all(selectBudget, { id })
  return row && decode(row.ledger)
}

export function* loadBudgetForUpdate(
  session: SqlSession,
  id: ProcessId,
): Operation<BudgetLedger | undefined> {
  const [row] = yield* session.seldom(lockBudget, { id })
  return row && decode(row.ledger)
}

const insertBudget = prepare((db, p: Named<BudgetRow>) =>
  db
    .insertInto('budgets')
    .values({ process_id: p.process_id, ledger: p.ledger })
    .onConflict(oc => oc.column('process_id').doNothing()),
)

const updateBudget = prepare((db, p: Named<BudgetRow & { expected: string }>) =>
  db
    .updateTable('budgets')
    .set({ ledger: p.ledger })
    .where('process_id', '=', p.process_id)
    .where('ledger', '=', p.expected),
)

export function* saveBudget(
  session: SqlSession,
  ledger: BudgetLedger,
  expected: BudgetLedger | undefined,
): Operation<boolean> {
  const row = { process_id: ledger.processId, ledger: encode(ledger) }
  const written =
    expected === undefined
      ? yield* session.run(insertBudget, row)
      : yield* session.run(updateBudget, { ...row, expected: encode(expected) })
  return written === 1
}
