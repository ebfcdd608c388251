/** The workflow itself, on a real server, with activities that the test answers for: no sweep makes good what it loses. */
import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { expect, inject, test } from 'vitest'
import { NUDGE_SIGNAL, type Nudge, type RunProcessResult, WORKFLOW_TYPE } from '../../src/contract.ts'
import { loadWorkflowBundle } from '../../src/workflow-bundle.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import '../support/quiet-runtime.ts'

const DONE: RunProcessResult = { type: 'done', status: 'completed' }
const PARKED: RunProcessResult = { type: 'parked' }

/** A workflow whose activity does this; `nth` counts its runs from 1. */
async function openWorkflow(runProcess: (nth: number) => Promise<RunProcessResult>) {
  const address = inject('temporalAddress')
  const [connection, native] = [
    await Connection.connect({ address }),
    await NativeConnection.connect({ address }),
  ]
  const id = `nudged-${randomUUID()}`
  const runs = { count: 0 }
  const worker = await Worker.create({
    connection: native,
    taskQueue: id,
    workflowBundle: await loadWorkflowBundle(),
    activities: { runProcess: () => runProcess(++runs.count), recordCancel: async () => {} },
  })
  const running = worker.run()
  const client = new Client({ connection })
  const input = { registryId: 'none', processId: id, heartbeatTimeoutMs: 60_000 }
  const workflow = await client.workflow.start(WORKFLOW_TYPE, {
    workflowId: id,
    taskQueue: id,
    args: [input],
  })
  return {
    runs,
    nudge: (kind: Nudge = 'look') => client.workflow.getHandle(id).signal(NUDGE_SIGNAL, kind),
    result: workflow.result(),
    runId: async () => (await client.workflow.getHandle(id).describe()).runId,
    [Symbol.asyncDispose]: async () => {
      worker.shutdown()
      await running
      await native.close()
      await connection.close()
    },
  }
}

test('a nudge that comes while a run of the activity is in flight means another run, and a second one only one', async () => {
  const gate = createGate()
  await using workflow = await openWorkflow(async nth => {
    // It has parked its process, and nobody has told the server yet.
    if (nth === 1) await gate.pass()
    return nth < 3 ? PARKED : DONE
  })
  await eventually(() => gate.arrivals === 1)
  await workflow.nudge()
  await workflow.nudge()
  gate.open()
  await eventually(() => workflow.runs.count === 2)
  await workflow.nudge()
  expect(await workflow.result).toEqual({ status: 'completed' })
  expect(workflow.runs.count).toBe(3)
})

test('of a flood of nudges none is lost between the runs of a continue-as-new chain, whose end its first caller hears (H14, H16, §6 #225)', {
  timeout: 120_000,
}, async () => {
  let isOver = false
  await using workflow = await openWorkflow(async () => (isOver ? DONE : PARKED))
  const runIds = new Set<string>()
  let sent = 0
  const flood = async () => {
    while (runIds.size < 2) {
      const before = workflow.runs.count
      for (let time = 0; time < 100; time++) await workflow.nudge()
      sent += 100
      // Without a pause they may hold up the chain for good: a run cannot end while its next nudge is there.
      await eventually(() => workflow.runs.count > before)
      runIds.add(await workflow.runId())
    }
  }
  await Promise.all([flood(), flood(), flood(), flood()])
  // Whatever came when, each that is sent now is answered by a run that begins after it.
  for (let time = 0; time < 3; time++) {
    const before = workflow.runs.count
    await workflow.nudge()
    sent++
    await eventually(() => workflow.runs.count > before)
  }
  // One at the beginning of each workflow run; else no more than there were nudges.
  expect(workflow.runs.count).toBeLessThanOrEqual(sent + 10)
  isOver = true
  await workflow.nudge()
  expect(await workflow.result).toEqual({ status: 'completed' })
})
