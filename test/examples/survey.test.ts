import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readLedger } from '../../examples/survey/ledger.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { folderOf, folderWithReport, manyFiles } from './survey-folder.ts'
import { runSurvey } from './survey-program.ts'

/** Nobody listens there. */
const NO_SERVER = { TEMPORAL_ADDRESS: '127.0.0.1:9' }

test('a first run surveys every file, and the report says what is there', async () => {
  const data = await temporaryFolder()
  const { folder, report } = await folderWithReport()
  const { code, stdout, stderr } = await runSurvey(['--data', data, '--dir', folder, '--id', 'one'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('100 %  7 of 7 files')
  expect(stdout).toContain('completed: 7 files, 215 bytes, 12 lines of text')
  expect(stdout).toContain('Steps    11, in 1 attempt\n')
  expect(await readFile(join(data, 'reports', 'one.md'), 'utf8')).toBe(report)
  expect(await readLedger(join(data, 'survey-ledger.jsonl'))).toMatchObject([
    { dir: folder, files: 7, bytes: 215, processId: 'one' },
  ])
})

test('the same folder again is answered from the record, without a server and without a second effect', async () => {
  const data = await temporaryFolder()
  const folder = await folderOf({ 'a.txt': 'a\n' })
  const first = await runSurvey(['--data', data, '--dir', folder])
  await writeFile(join(folder, 'later.txt'), 'not in the record\n')
  const second = await runSurvey(['--data', data, '--dir', folder], NO_SERVER)
  expect(second).toMatchObject({ code: 0, stderr: '' })
  expect(second.stdout).toContain('nothing is run, this is its answer')
  const answer = (stdout: string) => stdout.slice(stdout.indexOf('completed: 1 files'))
  expect(answer(second.stdout)).toContain(answer(first.stdout))
  expect(second.stdout).toMatch(/npm start -- --dir \S+ --id survey-leasehold-\S+-2\n/)
  expect(await readLedger(join(data, 'survey-ledger.jsonl'))).toHaveLength(1)
})

test('a new id surveys the folder as it is now', async () => {
  const data = await temporaryFolder()
  const folder = await folderOf({ 'a.txt': 'a\n' })
  await runSurvey(['--data', data, '--dir', folder])
  await writeFile(join(folder, 'later.txt'), 'later\n')
  const { stdout } = await runSurvey(['--data', data, '--dir', folder, '--id', 'anew'])
  expect(stdout).toContain('completed: 2 files')
})

test('a folder without files is a survey too', async () => {
  const { code, stdout } = await runSurvey([
    '--data',
    await temporaryFolder(),
    '--dir',
    await temporaryFolder(),
  ])
  expect(code).toBe(0)
  expect(stdout).toContain('completed: 0 files')
})

const REFUSED: readonly { what: string; args: (folder: string) => readonly string[]; says: string }[] = [
  { what: 'a folder that does not exist', args: folder => ['--dir', join(folder, 'x')], says: 'ENOENT' },
  { what: 'a file', args: folder => ['--dir', join(folder, 'a.txt')], says: 'a.txt is a file' },
  { what: 'an unknown option', args: () => ['--folder', '.'], says: "Unknown option '--folder'" },
  { what: 'an option without its value', args: () => ['--dir'], says: 'argument missing' },
  { what: 'an id for a crash', args: () => ['--crash', '--id', 'x'], says: 'leave out --id' },
  { what: 'a crash in too small a folder', args: folder => ['--crash', '--dir', folder], says: 'has 1' },
]

for (const { what, args, says } of REFUSED) {
  test(`${what} is refused in one sentence, and nothing is begun`, async () => {
    const data = join(await temporaryFolder(), 'data')
    const folder = await folderOf({ 'a.txt': 'a\n' })
    const { code, stdout, stderr } = await runSurvey(['--data', data, ...args(folder)])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: usage: /)
    expect(stderr).toContain(says)
    expect(stderr).not.toMatch(/^\s+at /m)
    await expect(access(data)).rejects.toThrow()
  })
}

test('an id that stands for another folder is a conflict', async () => {
  const data = await temporaryFolder()
  await runSurvey(['--data', data, '--dir', await manyFiles(1), '--id', 'taken'])
  const { code, stderr } = await runSurvey(['--data', data, '--dir', await manyFiles(1), '--id', 'taken'])
  expect(code).toBe(4)
  expect(stderr).toMatch(/^error: process_registration_conflict: [^\n]+\n$/)
})

test('a server that does not answer is named in one sentence', async () => {
  const { code, stderr } = await runSurvey(
    ['--data', await temporaryFolder(), '--dir', await manyFiles(1)],
    NO_SERVER,
  )
  expect(code).toBe(5)
  expect(stderr).toMatch(/^error: temporal_unreachable: [^\n]+\n$/)
})

test('a survey that fails says why, and the record says so at the next run', async () => {
  const data = await temporaryFolder()
  const folder = await manyFiles(1)
  await mkdir(data, { recursive: true })
  await writeFile(join(data, 'reports'), 'a file where the folder should be')
  const first = await runSurvey(['--data', data, '--dir', folder])
  expect(first).toMatchObject({ code: 1, stderr: '' })
  expect(first.stdout).toMatch(/^failed: step_failed: EEXIST/m)
  const second = await runSurvey(['--data', data, '--dir', folder], NO_SERVER)
  expect(second.code).toBe(1)
  expect(second.stdout).toMatch(/^failed: step_failed: EEXIST/m)
})
