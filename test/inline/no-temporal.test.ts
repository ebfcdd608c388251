import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryPath } from '../registry/store-fixtures.ts'

test('what runs inline loads no package of Temporal’s', async () => {
  const script = fileURLToPath(new URL('no-temporal-main.ts', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, await temporaryPath()])
  expect(stderr).toBe('')
  expect(
    stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
  ).toEqual([
    { status: 'completed', value: 2 },
    { refusedSoFar: 0, needsTemporal: true },
  ])
})
