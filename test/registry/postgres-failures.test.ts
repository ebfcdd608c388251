/** Failures that the server itself makes, at the statement where a test wants them: by triggers on the registry's tables. */
import { expect, inject, test } from 'vitest'
import { isTransient } from '../../src/model/errors.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { registration } from '../../src/testing/registry-suite/fixtures.ts'
import { errorWith } from '../model/fixtures.ts'
import { connect, openPostgres, randomName } from './postgres-fixtures.ts'

const FAILURES = {
  'a serialisation failure': `raise exception 'others were first' using errcode = '40001'`,
  'a deadlock': `raise exception 'each waits for the other' using errcode = '40P01'`,
  'a lost connection': 'perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1)',
} as const

/** A registry with one process, to whose log the first writes come to nothing. */
async function failing(
  failure: keyof typeof FAILURES,
  { times, at }: { readonly times: number; readonly at: 'statement' | 'commit' },
) {
  const schema = randomName()
  const registry = createProcessRegistry(await openPostgres({ schema, lockTimeoutMs: 2_000 }))
  await registry.register(registration())
  const admin = await connect(inject('postgresUrl'))
  // A sequence is not rolled back, so it counts the tries.
  await admin.query(`
    create sequence ${schema}.tries;
    create function ${schema}.fail() returns trigger language plpgsql as $$
      begin
        if nextval('${schema}.tries') <= ${times} then ${FAILURES[failure]}; end if;
        return new;
      end $$;
    create ${at === 'commit' ? 'constraint trigger fail after' : 'trigger fail before'} insert on ${schema}.events
      ${at === 'commit' ? 'deferrable initially deferred' : ''} for each row execute function ${schema}.fail()`)
  const tries = async () =>
    Number((await admin.query(`select last_value from ${schema}.tries`)).rows[0].last_value)
  return { registry, tries }
}

const note = { eventType: 'note', payload: 'once', replayKey: 'k' }

test.each([
  ['a serialisation failure', 'statement'],
  ['a serialisation failure', 'commit'],
  ['a deadlock', 'statement'],
  ['a deadlock', 'commit'],
  ['a lost connection', 'statement'],
] as const)('after %s at its %s, a transaction is run again, and has one effect', async (failure, at) => {
  const { registry, tries } = await failing(failure, { times: 2, at })
  expect(await registry.append('p', note)).toMatchObject({ type: 'appended', event: { sequence: 1 } })
  expect(await registry.eventsAfter('p', 0)).toHaveLength(1)
  expect(await tries()).toBe(3)
})

test.each([
  ['a serialisation failure', 'registry_locked'],
  ['a deadlock', 'registry_locked'],
  ['a lost connection', 'registry_unavailable'],
] as const)(
  '%s that stays is told as %s, which may go away, and nothing is written',
  async (failure, code) => {
    const { registry, tries } = await failing(failure, { times: 1_000_000, at: 'statement' })
    const appending = registry.append('p', note)
    await expect(appending).rejects.toThrow(errorWith(code))
    expect(isTransient(await appending.catch(error => error))).toBe(true)
    expect(await registry.eventsAfter('p', 0)).toEqual([])
    expect(await tries()).toBeGreaterThan(1)
  },
)

test('a connection lost during the commit is told as an unknown outcome, and not tried again', async () => {
  const { registry, tries } = await failing('a lost connection', { times: 1, at: 'commit' })
  const appending = registry.append('p', note)
  await expect(appending).rejects.toMatchObject({
    code: 'registry_unavailable',
    details: { isOutcomeUnknown: true },
  })
  expect(await tries()).toBe(1)
  // Whoever asks again under the same key finds out.
  expect(await registry.append('p', note)).toMatchObject({ event: { sequence: 1 } })
  expect(await registry.eventsAfter('p', 0)).toHaveLength(1)
})
