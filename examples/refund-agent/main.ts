/*
 * A refund: the model reads a customer's letter, people allow the payment, the bank pays once. `--crash` kills the worker
 * twice: while people are asked, and after the bank has paid but before it has answered.
 */
import { createProcessClient, type Outcome } from '../../src/index.ts'
import type { AgentArguments } from '../support/agent-arguments.ts'
import { runAgentProgram } from '../support/agent-program.ts'
import { startAgentWorker } from '../support/start-agent-worker.ts'
import { type Check, renderChecks } from '../support/table.ts'
import { until } from '../support/until.ts'
import { bankIn, callsIn, createHost } from './host.ts'
import { SCRIPT_ANSWERS } from './script.ts'

const USAGE = `node examples/refund-agent/main.ts                  a letter comes in; the payment waits for your word
node examples/refund-agent/main.ts --approve NAME   give it at once, in this name
node examples/refund-agent/main.ts --crash          kill the worker twice, and see the bank pay once (with --approve)
node examples/refund-agent/main.ts --id ID          under an id of your own; a known id answers from the record
node examples/refund-agent/main.ts --data DIR       keep registry and bank there (default: data/refund-agent)`

const LETTER = 'My kettle (order A-1001) leaks. I would like to have my money back. Kim'
/** With --crash: time for the kill between the payment and the bank's answer. */
const SLOW_BANK_MS = 30_000

const HOST = new URL('host.ts', import.meta.url)

await runAgentProgram({ name: 'refund-agent', usage: USAGE, run })

async function run({ isCrash, id, dataDir, approveAs = isCrash ? 'crash test' : undefined }: AgentArguments) {
  await using processes = createProcessClient({ host: createHost(dataDir) })
  let worker = await startAgentWorker(HOST, dataDir)
  await using workers = new AsyncDisposableStack()
  workers.defer(() => worker.stop())
  const kill = async (when: string) => {
    await worker.kill()
    console.log(`SIGKILL to worker ${worker.pid}, ${when}`)
    worker = await startAgentWorker(HOST, dataDir)
  }

  const bank = bankIn(dataDir)
  const calls = callsIn(dataDir)
  const callsBefore = await calls.count()
  const handle = await processes.start({
    kind: 'refund',
    ...(id === undefined ? {} : { id }),
    input: { letter: LETTER, ...(isCrash ? { bankMs: SLOW_BANK_MS } : {}) },
  })
  const paid = async () => (await bank.payments()).filter(({ processId }) => processId === handle.id)

  if (handle.started) {
    console.log(`Process ${handle.id} reads: ${LETTER}`)
    // A model of its own mind may answer the letter without wanting to pay.
    const asked = await until(
      async () =>
        (await processes.approvals({ processId: handle.id }))[0] ?? (await handle.describe()).outcome,
    )
    if ('status' in asked) return conclude(asked)
    const { callId, tool, args } = asked.approval
    console.log(`The model wants to call ${tool} with ${JSON.stringify(args)}, which people must allow.`)
    if (isCrash) await kill('while people are asked')
    if (approveAs === undefined) {
      console.log('In another terminal:')
      console.log(`  npm run leasehold -- approve ${handle.id} --by YOU --host examples/refund-agent/host.ts`)
    } else {
      await processes.answerApproval(handle.id, callId, { by: approveAs, verdict: 'approve' })
      console.log(`Allowed by ${approveAs}.`)
    }
    if (isCrash) {
      await until(async () => (await paid()).length > 0)
      await kill('after the bank has paid and before it has answered')
    }
  }

  return conclude(await handle.outcome())

  async function conclude(outcome: Outcome): Promise<number> {
    console.log(outcome.status === 'completed' ? `Answer: ${outcome.value}` : JSON.stringify(outcome))
    const { length: payments } = await paid()
    const made = (await calls.count()) - callsBefore
    const checks: readonly Check[] = [
      { what: 'The process completed', seen: outcome.status, isSo: outcome.status === 'completed' },
      { what: 'Payments for it in the bank’s book', seen: `${payments}`, isSo: payments === 1 },
      // Of a real model nobody counts here; of the script each answer is asked for once.
      { what: 'Calls of the scripted model', seen: `${made}`, isSo: made === 0 || made === SCRIPT_ANSWERS },
    ]
    console.log(renderChecks(checks))
    return checks.every(check => check.isSo) ? 0 : 1
  }
}
