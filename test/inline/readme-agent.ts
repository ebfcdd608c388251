import { appendFile } from 'node:fs/promises'
import { generateText, isStepCount, tool } from 'ai'
import { z } from 'zod'
import {
  defineEngine,
  defineHost,
  defineTool,
  durableCall,
  durableModel,
  durableTools,
  sqliteRegistry,
} from '../../src/index.ts'

const refund = tool({
  description: 'Pays an order back.',
  inputSchema: z.object({ order: z.string(), euros: z.number() }),
  async execute({ order, euros }, options) {
    const { operationId } = durableCall(options) // the same at every attempt: your bank's idempotency key
    await appendFile('paid.txt', `${order} ${euros} ${operationId}\n`)
    return `paid ${euros} euros`
  },
})

export default defineHost({
  registry: sqliteRegistry({ path: 'data/agent.db' }),
  engines: {
    support: defineEngine({
      disposition: 'rerunnable',
      input: z.string(),
      async run(ctx) {
        const { text } = await generateText({
          model: durableModel(ctx, 'anthropic/claude-sonnet-4.5'), // any model of the AI SDK
          tools: durableTools(ctx, { refund: defineTool(refund, { effect: 'once', approval: {} }) }),
          stopWhen: isStepCount(8),
          prompt: ctx.input,
        })
        return text
      },
    }),
  },
})
