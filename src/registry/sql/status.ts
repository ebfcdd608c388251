import { type RawBuilder, sql } from 'kysely'
import type { ProcessStatus } from '../../model/outcome.ts'

/**
 * A status as it stands in a statement. Not a parameter: of one that is bound PostgreSQL does not know that the rows it
 * fits are among those of an index of the running, or of the ended ones.
 */
export const STATUS = {
  running: sql.lit('running'),
  completed: sql.lit('completed'),
  failed: sql.lit('failed'),
  cancelled: sql.lit('cancelled'),
  abandoned: sql.lit('abandoned'),
} satisfies { readonly [Status in ProcessStatus]: RawBuilder<Status> }
