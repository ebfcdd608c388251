import type { ProcessRegistry } from '../../src/registry/registry.ts'
import type { RegistrySource } from '../../src/registry/source.ts'
import type { Row } from '../support/bench.ts'
import { median, timed } from '../support/statistics.ts'
import { ms, times } from '../support/table.ts'
import type { BenchStores, RegistryMeasure } from './bench-stores.ts'
import { type Filler, fillPostgres, fillSqlite, idAt, isLive, LIVE_SHARE } from './fill.ts'
import { beginAttempt } from './processes.ts'

const FEW = 1_000
const MANY = 1_000_000
/** Fewer than the live processes of the small registry, since an attempt can be begun once. */
const SAMPLES = 90
const PAGE = 100
const MOST_RATIO = 1.3
const MOST_MS = 3

/** Does an operation take longer where there are a thousand times more rows? */
export const scale: RegistryMeasure = async stores => [
  ...(await compare('PostgreSQL, vacuumed', stores, name => stores.postgres(name), fillPostgres)),
  ...(await compare('SQLite', stores, name => stores.sqlite(name), fillSqlite)),
]

async function compare(
  store: string,
  stores: BenchStores,
  sourceOf: (name: string) => RegistrySource,
  fill: Filler,
): Promise<Row[]> {
  await fill(stores, 'few', FEW)
  await fill(stores, 'many', MANY)
  const few = await sourceOf('few').open()
  const many = await sourceOf('many').open()
  try {
    const rows: Row[] = []
    for (const [operation, work] of Object.entries(OPERATIONS)) {
      const costs = { few: [] as number[], many: [] as number[] }
      // In turn, so that a slow moment of the machine meets both.
      for (let sample = 0; sample < SAMPLES; sample++) {
        costs.few.push(await timed(() => work(few, { id: liveId(sample, FEW), rows: FEW })))
        costs.many.push(await timed(() => work(many, { id: liveId(sample, MANY), rows: MANY })))
      }
      rows.push(rowOf(`${operation}, ${store}`, median(costs.many), median(costs.few)))
    }
    return rows
  } finally {
    await few.close()
    await many.close()
  }
}

/** A live process of a registry with so many rows. */
interface Sample {
  readonly id: string
  readonly rows: number
}

const OPERATIONS: Readonly<Record<string, (registry: ProcessRegistry, sample: Sample) => Promise<unknown>>> =
  {
    get: (registry, { id }) => registry.get(id),
    append: (registry, { id }) => registry.append(id, { eventType: 'note', payload: null }),
    'list, a page of 100': (registry, { id, rows }) => listPage(registry, id, rows),
    'worklist of 100': registry => registry.dueProcesses(100),
    'wake claim': registry => registry.claimWakes({ limit: 1 }),
    begin: (registry, { id }) => beginAttempt(registry, id),
  }

/** A whole page: of what is live, as many as that must be left behind the id where it begins. */
async function listPage(registry: ProcessRegistry, id: string, rows: number): Promise<void> {
  const lastStart = idAt(rows - (PAGE + 1) * LIVE_SHARE)
  // The small registry holds one such page only, and that is its beginning.
  const after = rows === FEW ? '' : id < lastStart ? id : lastStart
  const { records } = await registry.list({}, { after, limit: PAGE })
  if (records.length !== PAGE) throw new Error(`The page after "${after}" has ${records.length} rows.`)
}

function rowOf(what: string, many: number, few: number): Row {
  const ratio = many / few
  return {
    what: `${what}: ${MANY} rows, p50`,
    ours: ms(many),
    reference: `${FEW} rows: ${ms(few)}`,
    ratio: times(ratio),
    bound: {
      text: `≤ ${times(MOST_RATIO)}, ≤ ${ms(MOST_MS)}`,
      isMet: ratio <= MOST_RATIO && many <= MOST_MS,
    },
  }
}

/** Another live process for each sample, spread evenly over all of them. */
function liveId(sample: number, rows: number): string {
  const index = Math.floor(((sample + 0.5) * rows) / SAMPLES)
  for (let near = index; ; near--) if (isLive(near)) return idAt(near)
}
