import { sql } from 'kysely'

/** The database's time as the statement comes to it. */
export const clockMs = sql<number>`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`
