/** What `pg` is told about its connections reaches it, and so the server. */
import type { QueryConfig } from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { requireProcessId } from '../../src/model/ids.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { readNotice, sendNotices } from '../../src/registry/sql/postgres/notice.ts'
import { createPostgresStore } from '../../src/registry/sql/postgres-store.ts'
import { registration } from '../../src/testing/registry-suite/fixtures.ts'
import { errorWith } from '../model/fixtures.ts'
import { SELF_SIGNED } from '../support/self-signed.ts'
import { connect, openPostgres, randomName } from './postgres-fixtures.ts'
import { openTlsDoor } from './tls-door.ts'

const url = inject('postgresUrl')

describe('TLS', () => {
  test.each([
    ['the certificate is known', { ca: SELF_SIGNED.cert }],
    ['it need not be', { rejectUnauthorized: false }],
  ])('carries every connection where %s', async (_, ssl) => {
    const door = await openTlsDoor(url)
    const store = await openPostgres({ connectionString: door.url, schema: randomName(), ssl })
    await createProcessRegistry(store).register(registration())
    // The one for notices, and at least one of the pool.
    expect(door.entered()).toBeGreaterThanOrEqual(2)
  })

  test.each([
    ['a certificate that nobody vouches for', 'on', true],
    ['a server that speaks no TLS', 'off', true],
    ['a server that speaks nothing else', 'on', undefined],
  ])('%s is refused, and named', async (_, door, ssl) => {
    const connectionString = door === 'on' ? (await openTlsDoor(url)).url : url
    const opening = createPostgresStore({
      connectionString,
      schema: randomName(),
      lockTimeoutMs: 500,
      ...(ssl === undefined ? {} : { ssl }),
    })
    await expect(opening).rejects.toThrow(errorWith('registry_unavailable'))
  })

  test('may also be asked for in the address', async () => {
    const door = await openTlsDoor(url)
    const connectionString = `${door.url}?sslmode=no-verify`
    const store = await openPostgres({ connectionString, schema: randomName() })
    await createProcessRegistry(store).register(registration())
    expect(door.entered()).toBeGreaterThanOrEqual(2)
  })
})

test('the pool has as many connections as it may, under the name that it was given', async () => {
  const application_name = randomName()
  const store = await openPostgres({ schema: randomName(), pool: { max: 2, application_name } })
  const registry = createProcessRegistry(store)
  await Promise.all(
    Array.from({ length: 30 }, (_, index) => registry.register(registration({ id: `p${index}` }))),
  )
  const admin = await connect(url)
  const { rowCount } = await admin.query('select from pg_stat_activity where application_name = $1', [
    application_name,
  ])
  // Two, and the one for notices.
  expect(rowCount).toBe(3)
})

test('a connection that is idle for long enough is closed, and another one made when it is needed', async () => {
  const application_name = randomName()
  const pool = { max: 2, idleTimeoutMillis: 1, application_name }
  const registry = createProcessRegistry(await openPostgres({ schema: randomName(), pool }))
  await registry.register(registration())
  const admin = await connect(url)
  await expect
    .poll(
      async () => {
        const { rowCount } = await admin.query('select from pg_stat_activity where application_name = $1', [
          application_name,
        ])
        return rowCount
      },
      { timeout: 60_000 },
    )
    .toBe(1)
  expect((await registry.register(registration())).type).toBe('existing')
})

test('a connection that sends more notices than one is asked for them one after the other', async () => {
  const client = await connect(url)
  const heard: string[] = []
  client.on('notification', ({ payload }) => heard.push(payload ?? ''))
  const channel = randomName()
  await client.query(`listen ${client.escapeIdentifier(channel)}`)
  let asked = 0
  let mostAsked = 0
  const counting = {
    async query(query: QueryConfig) {
      asked++
      mostAsked = Math.max(mostAsked, asked)
      await client.query(query)
      asked--
    },
  }
  const ids = Array.from({ length: 200 }, (_, index) => requireProcessId(`${'p'.repeat(100)}${index}`))
  await sendNotices(counting, channel, ids)
  await expect.poll(() => heard.flatMap(payload => readNotice(payload) ?? [])).toEqual(ids)
  expect({ mostAsked, isMany: heard.length > 1 }).toEqual({ mostAsked: 1, isMany: true })
})
