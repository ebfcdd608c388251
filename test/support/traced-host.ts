import { tool } from 'ai'
import { z } from 'zod'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { defineEngine, defineHost, defineTool } from '../../src/index.ts'

export const SECRET = 'sesame-42'

export const tracedHost = (registry: string) =>
  defineHost({
    registry: parseRegistryAddress(registry),
    engines: {
      survey: defineEngine({
        disposition: 'rerunnable',
        async run(ctx) {
          await ctx.step('look', () => 1)
          const child = await ctx.start({ kind: 'child' })
          await child.outcome()
          await ctx.step('fail', () => {
            throw new Error(SECRET)
          })
        },
      }),
      child: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.step('inner', () => 2) }),
    },
    tools: {
      search: defineTool(
        tool({ inputSchema: z.object({ text: z.string() }), execute: ({ text }) => text.toUpperCase() }),
        { disposition: 'rerunnable' },
      ),
    },
  })
