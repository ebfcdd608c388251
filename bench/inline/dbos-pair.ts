import { join } from 'node:path'
import { startPostgres } from '../../test/support/start-postgres.ts'
import type { Row } from '../support/bench.ts'
import { installPackages } from '../support/install-packages.ts'
import { interleave, median } from '../support/statistics.ts'
import { times } from '../support/table.ts'
import { type Measure, type Side, startSide } from './side.ts'

export const DBOS = '@dbos-inc/dbos-sdk@5.3.0'

/** What both came to, in medians. Theirs and the ratio are absent where DBOS cannot be installed. */
export interface Compared {
  readonly ours: number
  readonly theirs?: number
  /** Ours to theirs: the median of what it was in each round. */
  readonly ratio?: number
}

export interface DbosPair extends AsyncDisposable {
  compare(measure: Measure): Promise<Compared>
}

/** We and DBOS on one PostgreSQL server that flushes each commit, each with a database of its own, measured in turns. */
export async function openDbosPair(folder: string, rounds: number): Promise<DbosPair> {
  await using opened = new AsyncDisposableStack()
  const server = await startPostgres({ isDurable: true })
  opened.defer(() => server.stop())
  const installed = join(folder, 'dbos')
  const isThere = await installPackages(installed, [DBOS])
  const ours = opened.use(await startSide('leasehold-main.ts', [`${server.url}?schema=inline`]))
  const database = new URL(server.url)
  database.pathname = '/dbos'
  const theirs = isThere ? opened.use(await startSide('dbos-main.ts', [installed, database.href])) : undefined
  const sides = opened.move()
  return {
    compare: measure => compare(ours, theirs, measure, rounds),
    [Symbol.asyncDispose]: () => sides.disposeAsync(),
  }
}

async function compare(
  ours: Side,
  theirs: Side | undefined,
  measure: Measure,
  rounds: number,
): Promise<Compared> {
  const values = { ours: [] as number[], theirs: [] as number[] }
  const measureOurs = async () => void values.ours.push(await ours.measure(measure))
  if (theirs === undefined) {
    await interleave(rounds, measureOurs)
    return { ours: median(values.ours) }
  }
  await interleave(rounds, measureOurs, async () => void values.theirs.push(await theirs.measure(measure)))
  const ratio = median(values.ours.map((value, round) => value / (values.theirs[round] ?? Number.NaN)))
  return { ours: median(values.ours), theirs: median(values.theirs), ratio }
}

/** One line of the table; `bound`: which side of DBOS's figure ours must be on. */
export function dbosRow(
  what: string,
  format: (value: number) => string,
  { ours, theirs, ratio }: Compared,
  bound?: '≤' | '≥',
): Row {
  if (theirs === undefined || ratio === undefined) {
    return { what, ours: format(ours), reference: `none: ${DBOS} could not be installed` }
  }
  const isMet = bound === '≤' ? ratio <= 1 : ratio >= 1
  return {
    what,
    ours: format(ours),
    reference: `DBOS: ${format(theirs)}`,
    ratio: times(ratio),
    ...(bound && { bound: { text: `${bound} ${times(1)}`, isMet } }),
  }
}
