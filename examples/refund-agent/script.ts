// In your own project: from 'leasehold/testing'.
import { scriptedModel } from '../../src/testing/scripted-model.ts'
import type { ModelCalls } from '../support/model-calls.ts'

/** So many times the model is asked for one letter. */
export const SCRIPT_ANSWERS = 3

/** What a model would say to the letter of main.ts, so that the example runs without one. */
export const createScript = (calls: ModelCalls) =>
  scriptedModel(
    [
      { calls: [{ tool: 'lookUpOrder', args: { orderId: 'A-1001' } }] },
      { calls: [{ tool: 'refund', args: { orderId: 'A-1001', euros: 89 } }] },
      'We are sorry that the kettle leaks. Its price of 89 euros is on its way back to you.',
    ],
    { onCall: () => calls.note() },
  )
