import { InvalidArgumentError } from 'commander'
import { describe, expect, test } from 'vitest'
import { parseConcurrency, parseFairness, parseRate } from '../../src/cli/flow-options.ts'
import { jsonError, openWorkspace } from './fixtures.ts'

describe('what is read from', () => {
  test.each([
    ['site=2', { key: 'site', limit: 2 }],
    ['site:a=b=10', { key: 'site:a=b', limit: 10 }],
  ])('--concurrency %s', (text, read) => {
    expect(parseConcurrency(text)).toEqual(read)
  })

  test.each([
    ['crawls=100/1m', { key: 'crawls', limit: 100, periodMs: 60_000 }],
    ['a/b=1/500ms/3', { key: 'a/b', limit: 1, periodMs: 500, burst: 3 }],
  ])('--rate %s', (text, read) => {
    expect(parseRate(text)).toEqual(read)
  })

  test.each([
    ['ana', { key: 'ana' }],
    ['ana=2.5', { key: 'ana', weight: 2.5 }],
    ['team=blue=1', { key: 'team=blue', weight: 1 }],
  ])('--fairness %s', (text, read) => {
    expect(parseFairness(text)).toEqual(read)
  })

  test.each([
    [parseConcurrency, ['site', '=2', 'site=', 'site=0', 'site=1.5', 'site=-1']],
    [parseRate, ['crawls', 'crawls=100', 'crawls=100/60', 'crawls=0/1m', 'crawls=1/1m/0', 'crawls=1/1m/1/1']],
    [parseFairness, ['=2', 'team=blue', 'ana=', 'ana=1e3']],
  ])('anything else is refused: %o', (parse, texts) => {
    for (const text of texts) expect(() => parse(text), text).toThrow(InvalidArgumentError)
  })
})

const MEMBERS = `
  engines: {
    crawl: defineEngine({
      disposition: 'rerunnable',
      flow: { priority: 5, concurrency: { key: 'of the kind', limit: 9 } },
      run: () => 'crawled',
    }),
  }`

test('a start says its flow on the command line, part by part instead of its kind’s', async () => {
  const { cli, writeHost, openRegistry, id } = await openWorkspace()
  const env = { LEASEHOLD_HOST: await writeHost(MEMBERS) }
  const start = (...args: string[]) => cli(['start', 'crawl', '--inline', '--json', ...args], { env })
  const flags = ['--concurrency', 'site=2', '--rate', 'crawls=100/1m/1', '--fairness', 'ana=2']
  const ended = await start('--id', id, ...flags)
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  const flow = {
    concurrency: { key: 'site', limit: 2 },
    rate: { key: 'crawls', limit: 100, periodMs: 60_000, burst: 1 },
    priority: 5,
    fairness: { key: 'ana', weight: 2 },
  }
  expect(JSON.parse(ended.stdout)).toMatchObject({ id, flow })
  expect(await (await openRegistry()).get(id)).toMatchObject({ flow })

  const last = await start('--priority', '6')
  expect(last.code).toBe(2)
  expect(jsonError(last).message).toContain('from 1 to 5')
  const tooHeavy = await start('--fairness', 'ana=1001')
  expect(tooHeavy.code).toBe(2)
  expect(jsonError(tooHeavy).message).toContain('a fairness weight of 1001')
})
