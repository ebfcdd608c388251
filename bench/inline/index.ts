import type { Bench } from '../support/bench.ts'
import { againstDbos } from './against-dbos.ts'
import { onSqlite } from './on-sqlite.ts'
import { parkedMany } from './parked-many.ts'
import { inlineRecovery } from './recovery.ts'
import { inlineWakes } from './wakes.ts'

/** Processes without any server of Temporal's. */
export const inline: Bench = async ({ folder }) => [
  ...(await onSqlite(folder)),
  ...(await inlineWakes(folder)),
  ...(await parkedMany(folder)),
  ...(await inlineRecovery(folder)),
  ...(await againstDbos(folder)),
]
