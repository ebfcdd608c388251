import type { Operation } from '../store.ts'
import type { EnvRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'

const selectEnv = prepare((db, p: Named<{ ref: string }>) =>
  db.selectFrom('envs').select('bytes').where('ref', '=', p.ref),
)

export function* loadEnv(session: SqlSession, ref: string): Operation<Uint8Array | undefined> {
  const [row] = yield* session.all(selectEnv, { ref })
  return row?.bytes
}

/** The ref is the content's hash: who finds it there finds the same bytes. */
const insertRow = prepare((db, p: Named<EnvRow>) =>
  db
    .insertInto('envs')
    .values(columns(p, ['ref', 'bytes']))
    .onConflict(oc => oc.column('ref').doNothing()),
)

export function* insertEnv(session: SqlSession, ref: string, bytes: Uint8Array): Operation<void> {
  yield* session.send(insertRow, { ref, bytes })
}
