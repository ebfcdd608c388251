import { tool } from 'ai'
import { z } from 'zod'
import { defineTool, durableCall, type ToolDefinition } from '../../src/index.ts'
import type { OutsideWorld } from './world.ts'

/** What the tool of a turn may suffer. */
export const SHAPES = ['repeatable', 'once', 'throws', 'approval', 'pending'] as const
export type Shape = (typeof SHAPES)[number]

export const actNamed = (shape: Shape): `act_${Shape}` => `act_${shape}`

/** What the channel of each turn holds in the end, whoever died in between. */
export const CHANNEL = 'said'
export const SAID: readonly string[] = ['before', 'in a step', 'after']

const inputSchema = z.object({ n: z.number() })

export function matrixTools(world: OutsideWorld) {
  const act = (shape: Shape) => {
    const code = tool({
      inputSchema,
      execute: async (_: { n: number }, options): Promise<unknown> => {
        const { processId, operationId, pending } = durableCall(options)
        world.note('effect', processId, operationId)
        if (shape === 'throws') throw new Error('connection reset')
        if (shape !== 'pending') return 'acted'
        const answer = await pending()
        world.open(operationId)
        return answer
      },
    })
    return defineTool(code, {
      effect: shape === 'repeatable' ? 'repeatable' : 'once',
      ...(shape === 'approval' ? { approval: {} } : {}),
    })
  }
  const say = tool({
    inputSchema: z.object({}),
    execute: async (): Promise<string> => {
      throw new Error('it runs in a process, and in no step')
    },
  })
  const [before = '', inStep = '', after = ''] = SAID
  return {
    look: defineTool(tool({ inputSchema, execute: async ({ n }) => `there are ${n}` })),
    say: defineTool(say, {
      async orchestrate(_, { ctx, callId }) {
        const channel = ctx.stream(CHANNEL)
        await channel.write(before)
        await ctx.step('say', () => channel.write(inStep), { key: callId })
        await channel.write(after)
        await channel.flush()
        return 'said'
      },
    }),
    act_repeatable: act('repeatable'),
    act_once: act('once'),
    act_throws: act('throws'),
    act_approval: act('approval'),
    act_pending: act('pending'),
  } satisfies { readonly [name: string]: ToolDefinition }
}
