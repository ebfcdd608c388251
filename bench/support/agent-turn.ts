import { isStepCount, tool } from 'ai'
import { z } from 'zod'
import { scriptedModel } from '../../src/testing/scripted-model.ts'

/** A turn of two model calls and one tool call, the same for each system; its model and its tool answer at once. */
export const createTurnModel = () => scriptedModel([{ calls: [{ tool: 'look', args: { n: 1 } }] }, 'seen'])

export const runLook = async ({ n }: { n: number }): Promise<number> => n

export const look = tool({ inputSchema: z.object({ n: z.number() }), execute: runLook })

export const TURN_OPTIONS = { prompt: 'look', stopWhen: isStepCount(5) }
