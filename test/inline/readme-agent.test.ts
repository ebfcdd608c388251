/** The README's durable agent stands there as it stands here, and what is said of it holds. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaseholdMatchers, runWithCrash } from '../../src/testing/index.ts'
import { eventually } from '../support/eventually.ts'
import { removeScanned } from '../support/temporary-folder.ts'

expect.extend(leaseholdMatchers)

// It keeps its registry and what it has paid where it is started.
const repository = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'leasehold-readme-'))
beforeAll(() => process.chdir(folder))
afterAll(async () => {
  process.chdir(repository)
  await removeScanned(folder)
})

test('the README’s agent waits for a yes over the death of its worker, and pays once', async () => {
  const run = await runWithCrash({
    host: new URL('readme-agent-host.ts', import.meta.url),
    start: { kind: 'support', input: 'Order A7 came broken. 20 euros back, please.' },
    crashAt: { point: 'approval.asked' },
    meanwhile: async processes => {
      const { processId, key } = await eventually(async () => {
        const [asked] = await processes.approvals()
        if (asked === undefined) throw new Error('nothing is asked for yet')
        return asked
      })
      await processes.answerApproval(processId, key, { by: 'ana', verdict: 'approve' })
    },
  })
  expect(run).toHaveCrashed()
  expect(run).toHaveCompleted('paid back')
  expect(run).toHaveDone('refund')
  expect(readFileSync('paid.txt', 'utf8')).toMatch(/^A7 20 \S+\n$/)
})

test('the README shows this agent', () => {
  const read = (path: string) => readFileSync(join(repository, path), 'utf8')
  const asPublished = read('test/inline/readme-agent.ts').replace("'../../src/index.ts'", "'leasehold'")
  expect(read('README.md')).toContain(`\`\`\`ts\n${asPublished}\`\`\`\n`)
})
