import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { folderWithReport, manyFiles } from './survey-folder.ts'
import { runSurvey } from './survey-program.ts'

/** Nobody listens there. */
const NO_SERVER = { TEMPORAL_ADDRESS: '127.0.0.1:9' }

test('--inline: the same survey, with no server at all', async () => {
  const data = await temporaryFolder()
  const { folder } = await folderWithReport()
  const args = ['--inline', '--data', data, '--dir', folder]
  const { code, stdout, stderr } = await runSurvey(args, NO_SERVER)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('completed: 7 files, 215 bytes, 12 lines of text')
  expect(stdout).toContain('Steps    11, in 1 attempt\n')
  expect(stdout).not.toContain('Temporal')
})

test('--inline --crash: the second worker goes on half-way, and the once step has happened once', async () => {
  const data = await temporaryFolder()
  const args = ['--inline', '--crash', '--data', data, '--dir', await manyFiles(60)]
  const { code, stdout, stderr } = await runSurvey(args, NO_SERVER)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/Attempts +2 +yes/)
  expect(stdout).toMatch(/Steps journaled before the kill, and replayed +(3[1-9]|[45]\d) of \1 +yes/)
  expect(stdout).toMatch(/Lines in the ledger from the once step +1 +yes/)
  expect(stdout).toContain('Steps    64, in 2 attempts')
})
