import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { DeterminismViolationError } from '@temporalio/workflow'
import { expect, test } from 'vitest'
import { loadWorkflowBundle } from '../../src/workflow-bundle.ts'
import { keptHistories, parseHistory, readHistory } from './kept-histories.ts'

Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') })

const names = keptHistories()

async function replay(history: string): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: await loadWorkflowBundle() }, parseHistory(history))
}

test('histories of every shape are kept', () => {
  expect(names).toEqual(
    expect.arrayContaining([
      'completed-in-one-attempt',
      'parked-and-woken-by-a-nudge',
      'cancelled-by-a-nudge',
      'cancelled-before-a-worker-came',
      'cancelled-by-temporal-while-running',
      'cancelled-by-temporal-while-parked',
      'retried-at-another-worker',
      'failed-after-its-cancel-was-passed-on',
      'silent-and-then-abandoned',
      'started-for-work-of-somebody-else',
      'started-for-a-process-that-is-not-there',
      'begun-by-a-nudge-after-its-end',
      'rolled-over',
      'reset-by-an-operator',
      'continued-as-new-the-run-before',
      'continued-as-new-the-run-after',
      'occurrence-told-by-a-schedule',
      'occurrence-of-no-trigger-tried-again',
    ]),
  )
})

test.each(names)('the workflow as it is now replays %s (§6 #228)', async name => {
  await replay(readHistory(name))
})

test('a history that the workflow would not have written is refused', async () => {
  const other = readHistory('completed-in-one-attempt').replaceAll('"runProcess"', '"walkProcess"')
  await expect(replay(other)).rejects.toThrow(DeterminismViolationError)
})
