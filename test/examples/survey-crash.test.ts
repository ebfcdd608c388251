import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { createSurveyEngine } from '../../examples/survey/engine.ts'
import { createLedger, readLedger } from '../../examples/survey/ledger.ts'
import { openWorld } from '../support/temporal-world.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import type { KillPoint } from './dies-in-append.ts'
import { manyFiles } from './survey-folder.ts'
import { runSurvey } from './survey-program.ts'

test('--crash: the second worker goes on half-way, and the once step has happened once', async () => {
  const data = await temporaryFolder()
  const { code, stdout, stderr } = await runSurvey(['--crash', '--data', data, '--dir', await manyFiles(60)])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/The process finished +completed +yes/)
  expect(stdout).toMatch(/Attempts +2 +yes/)
  expect(stdout).toMatch(/From SIGKILL to the next attempt +\d+ ms +yes/)
  // The list, and ten batches of three files at least; how many more were journaled is the kill's luck.
  expect(stdout).toMatch(/Steps journaled before the kill, and replayed +(3[1-9]|[45]\d) of \1 +yes/)
  expect(stdout).toMatch(/Steps run after it +\d+ +yes/)
  expect(stdout).toMatch(/Lines in the ledger from the once step +1 +yes/)
  expect(stdout).toContain('completed: 60 files')
  expect(stdout).toContain('Steps    64, in 2 attempts')
})

const KILLS: readonly { point: KillPoint; means: string }[] = [
  { point: 'before', means: 'the line is not there, and is added' },
  { point: 'after', means: 'the line is there, and is not added again' },
]

for (const { point, means } of KILLS) {
  test(`a worker killed ${point} the append leaves the once step in doubt: ${means}`, async () => {
    const folder = await temporaryFolder()
    const ledgerPath = join(folder, 'ledger.jsonl')
    const ledger = createLedger(ledgerPath)
    await using world = await openWorld({
      folder,
      engines: { survey: createSurveyEngine({ ledger, reportsDir: folder }) },
    })
    const script = fileURLToPath(new URL('./dies-in-append.ts', import.meta.url))
    const dying = fork(script, [inject('temporalAddress'), world.registryPath, ledgerPath, point], {
      execArgv: [],
    })
    const died = once(dying, 'exit')
    const handle = await world.processes.start({ kind: 'survey', input: { dir: await manyFiles(3) } })
    expect(await died).toEqual([null, 'SIGKILL'])
    const inDoubt = (await world.registry.journal(handle.id)).find(entry => entry.effect === 'once')
    expect(inDoubt).toMatchObject({ status: 'claimed' })
    expect(await readLedger(ledgerPath)).toHaveLength(point === 'after' ? 1 : 0)

    await world.startWorker()
    expect(await handle.outcome()).toMatchObject({ status: 'completed', value: { files: 3 } })
    expect(await readLedger(ledgerPath)).toMatchObject([{ operationId: inDoubt?.operationId }])
    const settled = (await world.registry.journal(handle.id)).find(entry => entry.effect === 'once')
    expect(settled?.resolution).toMatchObject({
      kind: 'reconcile',
      answer: point === 'after' ? 'done' : 'not_done',
    })
  })
}
