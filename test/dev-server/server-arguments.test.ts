import { expect, test } from 'vitest'
import { serverArguments } from '../../src/dev-server/server-arguments.ts'

const options = { env: {}, cacheDir: '/nowhere' }

test('a server listens on loopback only, quietly, without UI and file, and does not throttle itself', () => {
  const line = serverArguments({ frontend: 7233 }, options).join(' ')
  expect(line).toMatch(/^server start-dev --ip 127\.0\.0\.1 --port 7233 --log-level error --headless /)
  expect(line).toContain('--dynamic-config-value history.transferProcessorMaxPollRPS=2000')
  expect(line).toContain('--dynamic-config-value matching.numTaskqueueReadPartitions=1')
  expect(line).toContain('--dynamic-config-value matching.useNewMatcher=true')
  expect(line).toContain('--dynamic-config-value matching.enableFairness=true')
  expect(line).not.toContain('--db-filename')
})

test('UI, file, namespaces and further arguments are passed on, the last at the end, where they win', () => {
  const given = {
    ...options,
    dbFilename: 'a b.db',
    namespaces: ['one', 'two'],
    extraArgs: ['--log-level', 'info'],
  }
  const args = serverArguments({ frontend: 1, ui: 2 }, given)
  expect(args.join(' ')).toContain('--ui-port 2 --db-filename a b.db --namespace one --namespace two')
  expect(args).not.toContain('--headless')
  expect(args.slice(-2)).toEqual(['--log-level', 'info'])
})
