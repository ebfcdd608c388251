import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { findSecret, secret, withoutSecrets } from '../../src/model/secret.ts'

const SECRETS: readonly [value: unknown, path: string][] = [
  [{ search: { apiKey: 'x' } }, 'search.apiKey'],
  [{ API_KEY: 'x' }, 'API_KEY'],
  [{ db: [{ 'db-password': 'x' }] }, 'db[0].db-password'],
  [{ accessToken: 'x' }, 'accessToken'],
  [{ headers: { Authorization: 'x' } }, 'headers.Authorization'],
  [{ a: { b: secret('x') } }, 'a.b'],
  [{ note: `use sk-${'a1'.repeat(12)}` }, 'note'],
  [{ note: `ghp_${'a'.repeat(36)}` }, 'note'],
  [{ id: 'AKIAABCDEFGHIJKLMNOP' }, 'id'],
  [{ pem: '-----BEGIN RSA PRIVATE KEY-----\nabc' }, 'pem'],
  [{ url: 'postgres://ana:hunter2@db/x' }, 'url'],
  ['Bearer abcdefghijklmnop', '(the value itself)'],
]

describe('a secret is found', () => {
  test.each(SECRETS)('in %j, and only its place is told', (value, path) => {
    const found = findSecret(value)
    expect(found?.path).toBe(path)
    expect(JSON.stringify(found)).not.toMatch(/hunter2|sk-a1|ghp_a/)
  })
})

test.each([
  { maxTokens: 4_000, tokenizer: 'cl100k' },
  { apiKeyEnv: 'OPENAI_API_KEY', tokenFile: '/run/token' },
  { keyboard: 'de', key: 'primary', password: '' },
  { url: 'https://example.org:8080/a@b', text: 'the task-force sk-1' },
  null,
  [1, true, 'plain'],
])('%j holds none', value => {
  expect(findSecret(value)).toBeUndefined()
})

test('a marked secret shows itself nowhere but to those who ask', () => {
  const marked = secret('hunter2')
  const shown = [String(marked), JSON.stringify({ marked }), inspect({ marked })]
  for (const text of shown) expect(text).not.toContain('hunter2')
  expect(marked.reveal()).toBe('hunter2')
})

test.each([
  [`401: key sk-${'a1'.repeat(12)} is not valid`, '401: key [secret] is not valid'],
  ['no route to postgres://ana:hunter2@db:5432/x', 'no route to postgres://ana:[secret]@db:5432/x'],
  ['sent Authorization: Bearer abc123def456ghi', 'sent Authorization: Bearer [secret]'],
  ['a\n-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----\nb', 'a\n[secret]\nb'],
  ['write postgres://USER:PASSWORD@HOST/DATABASE', 'write postgres://USER:PASSWORD@HOST/DATABASE'],
  ['basic understanding: https://example.org:8080/a@b', 'basic understanding: https://example.org:8080/a@b'],
])('of %j rows and logs say %j', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown)
})

test('what leads back to itself is looked through once', () => {
  const round: { [name: string]: unknown } = { plain: 1 }
  round.self = round
  expect(findSecret(round)).toBeUndefined()
  expect(findSecret({ round, token: 'x' })).toMatchObject({ path: 'token' })
})
