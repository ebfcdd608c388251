/** `docs/writing-a-store.md` says of its code that it runs: it does, as a test file of its own. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { ProcessStore, StoreReader, StoreTransaction } from '../../src/registry/store.ts'

const page = await readFile('docs/writing-a-store.md', 'utf8')

test('the documented test of a store is the one that runs here', async () => {
  const code = await readFile('test/registry/documented-store.test.ts', 'utf8')
  const asPublished = code
    .replace("'../../src/index.ts'", "'leasehold'")
    .replace("'../../src/testing/index.ts'", "'leasehold/testing'")
  expect(page).toContain(`\`\`\`ts\n${asPublished}\`\`\`\n`)
})

test('every file that the page names is there', async () => {
  const files = [...page.matchAll(/`((?:src|test)\/[^`]+\.ts)`/g)].map(([, path = '']) => path)
  expect(files.length).toBeGreaterThan(5)
  await Promise.all(files.map(path => readFile(path)))
})

/** Members that the page speaks of: a renamed one does not compile. */
const NAMED = [
  'registryId',
  'durabilityTier',
  'isOfOneMachine',
  'transaction',
  'read',
  'watch',
  'close',
  'loadProcess',
  'loadLease',
  'loadSession',
  'saveProcess',
  'saveJournalEntry',
  'insertPendingCall',
  'saveLease',
  'saveWake',
  'saveSession',
  'listChanges',
  'now',
] as const satisfies readonly (keyof ProcessStore | keyof StoreReader | keyof StoreTransaction)[]

test.each(NAMED)('the page names %s', name => {
  expect(page).toMatch(new RegExp(`\\b${name}\\b`))
})
