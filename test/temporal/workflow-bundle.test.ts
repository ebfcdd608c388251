import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { cachedBundlePath } from '../../src/workflow-bundle.ts'
import '../support/quiet-runtime.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('two workers of one OS process that find no bundle each make it, and neither is in the other’s way', async () => {
  const folder = await temporaryFolder()
  const [one, other] = await Promise.all([cachedBundlePath(folder), cachedBundlePath(folder)])
  expect(other).toBe(one)
  expect(await readdir(folder)).toHaveLength(1)
})
