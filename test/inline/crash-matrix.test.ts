import { expect, test } from 'vitest'
import { runMatrix } from '../crash-matrix/run.ts'
import { temporaryFolder } from '../registry/store-fixtures.ts'

const LIMIT_MS = 540_000

test(
  'a hundred workers killed: no once effect twice, no journaled model call again, nothing lost or false',
  async () => {
    const folder = await temporaryFolder()
    const report = await runMatrix({
      registry: `sqlite:${folder}/leasehold.db`,
      folder,
      kills: 100,
      seed: Date.now() % 1_000_000,
      limitMs: LIMIT_MS,
      say: console.error,
    })
    expect(report.violations).toEqual([])
    expect(report.deaths).toBeGreaterThanOrEqual(100)
  },
  LIMIT_MS + 30_000,
)
