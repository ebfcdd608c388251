import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { definePlugin, secret } from '../../src/index.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import {
  captureEnvironment,
  loadEnvironment,
  type ProcessEnvironment,
  prepareEnvironment,
  registryEnvironments,
} from '../../src/runtime/environment.ts'

const search = definePlugin('search', () => ({}), {
  options: z.object({ limit: z.number().default(10) }),
})
const HOST = {
  plugins: [search],
  pluginOptions: { search: { limit: 3 } },
  policy: { model: 'small' },
}

const store = () => registryEnvironments(createProcessRegistry(createMemoryStore()))

describe('the environment of a start', () => {
  test("is the host's own where the start says nothing", async () => {
    expect(await prepareEnvironment(HOST)).toEqual({
      pluginOptions: { search: { limit: 3 } },
      policy: { model: 'small' },
    })
  })

  test('takes each half that the start gives, in place of the host’s', async () => {
    expect(await prepareEnvironment(HOST, { policy: {} })).toEqual({
      pluginOptions: { search: { limit: 3 } },
      policy: {},
    })
  })

  test('holds the options as their schema leaves them', async () => {
    expect(await prepareEnvironment(HOST, { pluginOptions: { search: {} } })).toMatchObject({
      pluginOptions: { search: { limit: 10 } },
    })
  })

  const REFUSED: readonly [title: string, asked: object, says: string][] = [
    ['an unknown field (§6 #165)', { plugins: {} }, 'has a field "plugins"'],
    ['options of a plugin that the host has not', { pluginOptions: { mail: {} } }, 'plugin "mail"'],
    ['options that do not fit', { pluginOptions: { search: { limit: 'many' } } }, 'plugin "search"'],
    ['a policy that is no object', { policy: [] }, 'policy that are no object'],
    ['what JSON cannot carry', { policy: { at: new Date() } }, 'an instance of Date at policy.at'],
  ]
  test.each(REFUSED)('is refused for %s', async (_, asked, says) => {
    await expect(prepareEnvironment(HOST, asked)).rejects.toMatchObject({
      code: 'process_env_invalid',
      message: expect.stringContaining(says),
    })
  })

  test.each([
    ['marked', { policy: { key: secret('hunter2') } }, 'policy.key'],
    ['named', { policy: { api: { apiKey: 'hunter2' } } }, 'policy.api.apiKey'],
  ])('is refused for a %s secret, with its path and without it', async (_, asked, path) => {
    const error = await prepareEnvironment(HOST, asked as Partial<ProcessEnvironment>).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'process_env_secret', details: { path } })
    expect(error.message).not.toContain('hunter2')
  })

  test("is refused for a secret that a plugin's schema adds", async () => {
    const plugin = definePlugin('mail', () => ({}), {
      options: z.object({ password: z.string().default('hunter2') }),
    })
    await expect(
      prepareEnvironment({ plugins: [plugin] }, { pluginOptions: { mail: {} } }),
    ).rejects.toMatchObject({ code: 'process_env_secret', details: { path: 'pluginOptions.mail.password' } })
  })
})

describe('a captured environment', () => {
  test('has one ref, whatever the order of its fields, and comes back (§6 #165)', async () => {
    const environments = store()
    const one = await captureEnvironment(environments, { policy: { a: 1, b: 2 }, pluginOptions: {} })
    const two = await captureEnvironment(environments, { pluginOptions: {}, policy: { b: 2, a: 1 } })
    expect(two).toBe(one)
    expect(one).toMatch(/^process-env:sha256:[0-9a-f]{64}$/)
    expect(await loadEnvironment(environments, { id: 'p', envRef: one })).toEqual({
      policy: { a: 1, b: 2 },
      pluginOptions: {},
    })
  })

  test('that no row names, is not there, or was changed are three errors (§6 #164)', async () => {
    const environments = store()
    const envRef = `process-env:sha256:${'0'.repeat(64)}`
    await expect(loadEnvironment(environments, { id: 'p' })).rejects.toMatchObject({
      code: 'process_env_missing',
    })
    await expect(loadEnvironment(environments, { id: 'p', envRef })).rejects.toMatchObject({
      code: 'process_env_not_found',
      details: { envRef },
    })
    for (const bytes of [
      'no JSON',
      '{"policy":{},"pluginOptions":{},"more":1}',
      '{"policy":{},"pluginOptions":{}}',
    ]) {
      const changed = store()
      await changed.put(envRef, Buffer.from(bytes))
      await expect(loadEnvironment(changed, { id: 'p', envRef })).rejects.toMatchObject({
        code: 'process_env_corrupt',
        details: { envRef },
      })
    }
  })
})
