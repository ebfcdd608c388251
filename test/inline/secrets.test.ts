import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { defineEngine, type Logger } from '../../src/index.ts'
import { connect } from '../registry/postgres-fixtures.ts'
import { OPEN, plantedIn, refused } from '../support/planted-secrets.ts'
import { openInline, REGISTRIES } from './world.ts'

const engines = {
  fails: defineEngine({
    disposition: 'rerunnable',
    run: async ctx => {
      await ctx.step('refused', () => Promise.reject(refused())).catch(() => {})
      ctx.defer(() => Promise.reject(refused()))
      throw refused()
    },
  }),
  unknown: defineEngine({
    disposition: 'rerunnable',
    run: ctx => ctx.step('sent', () => Promise.reject(refused()), { effect: 'once' }),
  }),
  cancelled: defineEngine({
    disposition: 'rerunnable',
    run: ctx =>
      new Promise<void>((_, reject) => ctx.signal.addEventListener('abort', () => reject(refused()))),
  }),
}

/** All that a registry holds, as text. */
async function dump(address: string): Promise<string> {
  if (address.startsWith('sqlite:')) {
    const path = address.slice('sqlite:'.length)
    const files = [path, `${path}-wal`].map(file => readFile(file, 'latin1').catch(() => ''))
    return (await Promise.all(files)).join('\n')
  }
  const client = await connect(address)
  const schema = new URL(address).searchParams.get('schema') ?? 'leasehold'
  const tables = await client.query('select tablename from pg_tables where schemaname = $1', [schema])
  const texts: string[] = []
  for (const { tablename } of tables.rows) {
    const { rows } = await client.query(
      `select row_to_json(t)::text as text from "${schema}"."${tablename}" t`,
    )
    texts.push(...rows.map(({ text }) => text))
  }
  return texts.join('\n')
}

test.each(REGISTRIES)(
  'no secret of an error is in the rows of $name, nor in a log',
  async ({ newAddress }) => {
    const address = await newAddress()
    const logged: string[] = []
    const log: Logger['warn'] = (message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`)
    const { processes, startWorker } = await openInline(address, engines)
    await startWorker({ logger: { debug: log, info: log, warn: log, error: log } })
    const [fails, unknown, cancelled] = [
      await processes.start({ kind: 'fails' }),
      await processes.start({ kind: 'unknown' }),
      await processes.start({ kind: 'cancelled' }),
    ]
    await cancelled.cancel('enough')
    expect(await fails.outcome()).toMatchObject({ status: 'failed', message: expect.stringContaining(OPEN) })
    expect(await unknown.outcome()).toMatchObject({ status: 'failed', code: 'step_unknown' })
    expect(await cancelled.outcome()).toMatchObject({ status: 'cancelled' })
    const rows = await dump(address)
    expect(rows).toContain(OPEN)
    expect({ rows: plantedIn(rows), logs: plantedIn(logged.join('\n')) }).toEqual({ rows: [], logs: [] })
  },
)
