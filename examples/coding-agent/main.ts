/*
 * A coding agent mends a bug in a copy of `project`: it searches, reads, edits and runs the tests. `--crash` kills its
 * worker again and again while it does, and each time the next one goes on with the next call.
 */
import { randomUUID } from 'node:crypto'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createProcessClient } from '../../src/index.ts'
import type { AgentArguments } from '../support/agent-arguments.ts'
import { runAgentProgram } from '../support/agent-program.ts'
import { startAgentWorker } from '../support/start-agent-worker.ts'
import { type Check, renderChecks } from '../support/table.ts'
import { until } from '../support/until.ts'
import { callsIn, createHost } from './host.ts'
import { runTests } from './run-tests.ts'
import { SCRIPT_ANSWERS } from './script.ts'

const USAGE = `node examples/coding-agent/main.ts              mend the bug of examples/coding-agent/project, in a copy
node examples/coding-agent/main.ts --crash      kill the worker in each call of the model, and see the bug mended
node examples/coding-agent/main.ts --id ID      under an id of your own; a known id answers from the record
node examples/coding-agent/main.ts --data DIR   keep registry and copies there (default: data/coding-agent)`

const TASK = 'The test of total.mjs fails. Mend the code, not the test.'

const HOST = new URL('host.ts', import.meta.url)
const PROJECT = fileURLToPath(new URL('project', import.meta.url))

await runAgentProgram({ name: 'coding-agent', usage: USAGE, run })

async function run({ isCrash, id = randomUUID(), dataDir }: AgentArguments) {
  const dir = join(dataDir, 'projects', id)
  // A copy that is there already may be mended in part: the process goes on with it.
  await cp(PROJECT, dir, { recursive: true, force: false })

  await using processes = createProcessClient({ host: createHost(dataDir) })
  let worker = await startAgentWorker(HOST, dataDir)
  await using workers = new AsyncDisposableStack()
  workers.defer(() => worker.stop())

  const calls = callsIn(dataDir)
  const before = await calls.count()
  const made = async () => (await calls.count()) - before
  const handle = await processes.start({ kind: 'mend', id, input: { dir, task: TASK } })
  if (handle.started) console.log(`Process ${id} works in ${dir}`)

  let kills = 0
  while (isCrash) {
    const seen = await made()
    const isOver = await until(async () => {
      if ((await handle.describe()).outcome !== undefined) return 'over'
      // The first of the two is the one that the last kill met, made again.
      return (await made()) >= seen + 2 && 'goes on'
    })
    if (isOver === 'over') break
    await worker.kill()
    kills++
    console.log(`SIGKILL to worker ${worker.pid} at call ${await made()} of the model`)
    worker = await startAgentWorker(HOST, dataDir)
  }

  const outcome = await handle.outcome()
  console.log(outcome.status === 'completed' ? `Answer: ${outcome.value}` : JSON.stringify(outcome))
  const { passed } = await runTests(dir)
  const asked = await made()
  const checks: readonly Check[] = [
    { what: 'The process completed', seen: outcome.status, isSo: outcome.status === 'completed' },
    { what: 'The tests of the copy pass', seen: passed ? 'pass' : 'fail', isSo: passed },
    {
      what: `Calls of the scripted model, with ${kills} kills`,
      seen: `${asked}`,
      // A call that the kill met in the middle is made again; one that had ended is not.
      isSo: asked === 0 || (asked >= SCRIPT_ANSWERS && asked <= SCRIPT_ANSWERS + kills),
    },
  ]
  console.log(renderChecks(checks))
  return checks.every(check => check.isSo) ? 0 : 1
}
