import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { refuseSecretsIn } from './scan/files.ts'

/** A folder of the test's own, gone with it. */
export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'leasehold-'))
  onTestFinished(() => removeScanned(path))
  return path
}

/** Removes what a test has written, and throws where a planted secret is in it. */
export async function removeScanned(folder: string): Promise<void> {
  try {
    await refuseSecretsIn(folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}
