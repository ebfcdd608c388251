import { setTimeout as delay } from 'node:timers/promises'
// In your own project: from 'leasehold/testing'.
import { scriptedModel } from '../../src/testing/scripted-model.ts'
import type { ModelCalls } from '../support/model-calls.ts'

/** Models take their time; enough of it to be killed in. */
const THINKING_MS = 200

const FORGETFUL = '{ price }) => sum + price'
const MENDED = '{ price, quantity }) => sum + price * quantity'

/** What a model would do about the bug of `project`, so that the example runs without one. */
export const createScript = (calls: ModelCalls) =>
  scriptedModel(
    [
      { calls: [{ tool: 'runTests' }] },
      { calls: [{ tool: 'search', args: { text: 'total' } }] },
      { calls: [{ tool: 'readFile', args: { path: 'total.mjs' } }] },
      { calls: [{ tool: 'editFile', args: { path: 'total.mjs', find: FORGETFUL, replace: MENDED } }] },
      { calls: [{ tool: 'runTests' }] },
      'The total forgot how many of each item there are; it multiplies by the quantity now, and the tests pass.',
    ],
    {
      async onCall() {
        await calls.note()
        await delay(THINKING_MS)
      },
    },
  )

/** So many times the model is asked. */
export const SCRIPT_ANSWERS = 6
