/*
 * A model that leads starts three readers side by side, awaits them, and answers from what they found. `--crash` kills
 * the worker that they all run in, again and again: none is started twice, and no answer is asked for again.
 */
import { randomUUID } from 'node:crypto'
import { createProcessClient } from '../../src/index.ts'
import type { AgentArguments } from '../support/agent-arguments.ts'
import { runAgentProgram } from '../support/agent-program.ts'
import { startAgentWorker } from '../support/start-agent-worker.ts'
import { type Check, renderChecks } from '../support/table.ts'
import { until } from '../support/until.ts'
import { callsIn, createHost } from './host.ts'
import { SCRIPT_ANSWERS } from './script.ts'

const USAGE = `node examples/research-agent/main.ts              three readers, one answer
node examples/research-agent/main.ts --crash      kill the worker that they run in, again and again
node examples/research-agent/main.ts --id ID      a session of your own; what was asked there is answered from the record
node examples/research-agent/main.ts --data DIR   keep the registry there (default: data/research-agent)`

const QUESTION = 'How do I make tea that stays hot?'
const READERS = 3
/** Calls of models at a time: each reader's, and that of the one who leads. */
const AT_ONCE = READERS + 1

const HOST = new URL('host.ts', import.meta.url)

await runAgentProgram({ name: 'research-agent', usage: USAGE, run })

async function run({ isCrash, id = randomUUID(), dataDir }: AgentArguments) {
  const host = await createHost(dataDir)
  await using processes = createProcessClient({ host })
  let worker = await startAgentWorker(HOST, dataDir)
  await using workers = new AsyncDisposableStack()
  workers.defer(() => worker.stop())

  const calls = callsIn(dataDir)
  const before = await calls.count()
  const made = async () => (await calls.count()) - before
  const turn = await processes.session(id).send(QUESTION, { id: `${id}-answer` })
  console.log(`Session ${id} is asked: ${QUESTION}`)

  let kills = 0
  while (isCrash) {
    const seen = await made()
    const isOver = await until(async () => {
      if ((await turn.describe()).outcome !== undefined) return 'over'
      // As many as can have been met by the last kill, made again, and one more.
      return (await made()) > seen + AT_ONCE && 'goes on'
    })
    if (isOver === 'over') break
    await worker.kill()
    kills++
    console.log(`SIGKILL to worker ${worker.pid} at call ${await made()} of the models`)
    worker = await startAgentWorker(HOST, dataDir)
  }

  const outcome = await turn.outcome()
  console.log(outcome.status === 'completed' ? `Answer: ${answerOf(outcome.value)}` : JSON.stringify(outcome))
  const registry = await host.registry.open()
  workers.defer(() => registry.close())
  const { records } = await registry.list({ status: 'any' }, { limit: 1_000 })
  const readers = records.filter(
    ({ provenance: { causedBy } }) => causedBy?.type === 'process' && causedBy.processId === turn.id,
  )
  const answered = readers.filter(({ status }) => status === 'completed')
  const asked = await made()
  const checks: readonly Check[] = [
    { what: 'The turn completed', seen: outcome.status, isSo: outcome.status === 'completed' },
    {
      what: 'Readers started, and completed',
      seen: `${readers.length}, ${answered.length}`,
      // How many a model of its own mind starts is its own business.
      isSo: answered.length === readers.length && (asked === 0 || readers.length === READERS),
    },
    {
      what: `Calls of the scripted models, with ${kills} kills`,
      seen: `${asked}`,
      isSo: asked === 0 || (asked >= SCRIPT_ANSWERS && asked <= SCRIPT_ANSWERS + kills * AT_ONCE),
    },
  ]
  console.log(renderChecks(checks))
  return checks.every(check => check.isSo) ? 0 : 1
}

function answerOf(value: unknown): string {
  return String(Object(Object(value).turn).answer)
}
