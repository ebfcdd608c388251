import { setTimeout as pause } from 'node:timers/promises'
import { generateText, isStepCount, tool } from 'ai'
import { z } from 'zod'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { defineEngine, defineHost, defineTool, durableModel, durableTools } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/scripted-model.ts'
import type { OutsideWorld } from './world.ts'

/** What the tool of a turn may suffer. */
export const SHAPES = ['repeatable', 'once', 'throws', 'approval'] as const
export type Shape = (typeof SHAPES)[number]

const inputSchema = z.object({ n: z.number() })

/** How long the model takes for an answer. */
const MODEL_MS = 20

/** What a model is told of a call, in a word. */
function wordOf(told: string): 'done' | 'unknown' | 'failed' {
  if (told.includes('is unknown')) return 'unknown'
  return told.includes('error-text') ? 'failed' : 'done'
}

/**
 * One kind, `turn`: a model looks at something, then acts, then says what became of that. What it says is the outcome's
 * value, to be held against what happened outside.
 */
export const matrixHost = (address: string, world: OutsideWorld) =>
  defineHost({
    registry: parseRegistryAddress(address),
    engines: {
      turn: defineEngine({
        disposition: 'rerunnable',
        input: z.object({ shape: z.enum(SHAPES) }),
        async run(ctx) {
          const { shape } = ctx.input
          const model = scriptedModel(
            [
              { calls: [{ tool: 'look', args: { n: 1 } }] },
              { text: 'I see.', calls: [{ tool: 'act', args: { n: 2 } }] },
              prompt => wordOf(JSON.stringify(prompt.at(-1)?.content)),
            ],
            {
              onCall: async prompt => {
                const answered = prompt.filter(({ role }) => role === 'assistant').length
                world.note('asked', ctx.id, String(answered))
                // As real ones do, so that a worker may also die while it waits.
                await pause(MODEL_MS)
              },
            },
          )
          const look = tool({ inputSchema, execute: async ({ n }) => `there are ${n}` })
          const act = tool({
            inputSchema,
            execute: async (_: { n: number }, options) => {
              const { operationId } = options as typeof options & { operationId: string }
              world.note('effect', ctx.id, operationId)
              if (shape === 'throws') throw new Error('connection reset')
              return 'acted'
            },
          })
          const { text } = await generateText({
            model: durableModel(ctx, model),
            tools: durableTools(ctx, {
              look,
              act: defineTool(act, {
                effect: shape === 'repeatable' ? 'repeatable' : 'once',
                ...(shape === 'approval' ? { approval: {} } : {}),
              }),
            }),
            stopWhen: isStepCount(10),
            prompt: 'look, then act',
          })
          return text
        },
      }),
    },
  })
