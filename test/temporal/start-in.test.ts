import pg from 'pg'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineEngine, postgresRegistry } from '../../src/index.ts'
import { refuseSecretsIn } from '../support/scan/files.ts'
import { startPostgres } from '../support/start-postgres.ts'
import { openWorld } from '../support/temporal-world.ts'

const ship = defineEngine({
  disposition: 'rerunnable',
  input: z.object({ order: z.string() }),
  run: ctx => ctx.step('ship', () => `shipped ${ctx.input.order}`),
})

test('what is started in the host’s transaction is run once that is committed, and never if it is rolled back', async () => {
  const postgres = await startPostgres({ beforeRemoval: refuseSecretsIn })
  try {
    await using world = await openWorld({
      engines: { ship },
      source: postgresRegistry({ connectionString: postgres.url }),
    })
    await world.startWorker()
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    try {
      await client.query('create table orders (id text)')
      await client.query('begin')
      await client.query("insert into orders values ('41')")
      const dropped = await world.processes.startIn(client, {
        kind: 'ship',
        id: 'ship-41',
        input: { order: '41' },
      })
      await client.query('rollback')

      await client.query('begin')
      await client.query("insert into orders values ('42')")
      const request = { kind: 'ship', id: 'ship-42', input: { order: '42' } } as const
      const handle = await world.processes.startIn(client, request)
      expect(handle.started).toBe(true)
      await expect(handle.describe()).rejects.toMatchObject({ code: 'process_unknown' })
      await client.query('commit')
      expect(await handle.outcome()).toEqual({ status: 'completed', value: 'shipped 42' })
      expect(await world.workflow('ship-42').result()).toEqual({ status: 'completed' })

      await client.query('begin')
      expect(await world.processes.startIn(client, request)).toMatchObject({ started: false })
      await client.query('commit')
      await expect(dropped.describe()).rejects.toMatchObject({ code: 'process_unknown' })
      await expect(world.workflow('ship-41').describe()).rejects.toThrow()
    } finally {
      await client.end()
    }
  } finally {
    await postgres.stop()
  }
})
