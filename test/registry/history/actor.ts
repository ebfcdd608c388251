/**
 * One of several OS processes that do whatever comes into their minds with the same few processes of one registry:
 * `node actor.ts STORE ADDRESS SCHEMA NAME CALLS HISTORY`. Each call stands in its history before it is made, and each
 * answer once it is given; it says a line for each answer, and `done` at the end.
 */
import { openSync, writeSync } from 'node:fs'
import { isLeaseholdError, isTransient } from '../../../src/model/errors.ts'
import { createProcessRegistry } from '../../../src/registry/registry.ts'
import { createPostgresStore } from '../../../src/registry/sql/postgres-store.ts'
import { createSqliteStore } from '../../../src/registry/sql/sqlite-store.ts'
import { type Act, createActs } from './acts.ts'
import type { Answer, HistoryLine } from './call.ts'

/** Operations under way at once in this OS process, so that some of them share a commit. */
const LANES = 6
/** Processes that are worked on at the same time, and after how many calls the oldest of them is left alone. */
const WINDOW = 4
const CALLS_PER_PROCESS = 25

const [store, address = '', schema = '', name = '', count = '', history = ''] = process.argv.slice(2)
const registry = createProcessRegistry(
  store === 'sqlite'
    ? await createSqliteStore({ path: address })
    : await createPostgresStore({ connectionString: address, schema, pool: { max: LANES } }),
)
const { below, choose } = createActs(registry, name)
const file = openSync(history, 'a')
/** Synchronously, so that a line is written before the call is made, and before a kill can come. */
const write = (line: HistoryLine): void => {
  writeSync(file, `${JSON.stringify(line)}\n`)
}
const nanoseconds = (): number => Number(process.hrtime.bigint())

async function answerTo({ run }: Act): Promise<Answer> {
  try {
    return await run()
  } catch (error) {
    if (!isLeaseholdError(error) || error.code === 'internal') throw error
    return { type: isTransient(error) ? 'unsure' : 'refused', code: error.code }
  }
}

let calls = 0
async function act(lane: number): Promise<void> {
  calls += 1
  const id = `${name}:${calls}`
  const request = { id, process: `p${Math.floor(calls / CALLS_PER_PROCESS) + below(WINDOW)}`, lane }
  const chosen = choose(request)
  const { operation, lease } = chosen
  const presented = lease === undefined ? {} : { lease }
  write({ invoked: { id, process: request.process, operation, ...presented, invokedAt: nanoseconds() } })
  const answer = await answerTo(chosen)
  write({ returned: id, answer: { ...answer, returnedAt: nanoseconds() } })
  writeSync(1, `${id}\n`)
}

await Promise.all(
  Array.from({ length: LANES }, async (_, lane) => {
    while (calls < Number(count)) await act(lane)
  }),
)
await registry.close()
writeSync(1, 'done\n')
process.exit()
