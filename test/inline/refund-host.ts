/** A host as a user would write it: an agent that refunds, on a registry whose file the environment names. */
import { appendFileSync } from 'node:fs'
import { generateText, isStepCount, tool } from 'ai'
import { z } from 'zod'
import {
  defineEngine,
  defineHost,
  defineTool,
  durableModel,
  durableTools,
  sqliteRegistry,
  type ToolDefinition,
} from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/scripted-model.ts'

const path = process.env.REFUND_DB ?? 'data/leasehold.db'

const refund = tool({
  description: 'pays money back',
  inputSchema: z.object({ order: z.string(), euros: z.number() }),
  execute: async ({ order, euros }) => {
    appendFileSync(`${path}.paid`, `${order} ${euros}\n`)
    return `refunded ${euros} euros`
  },
})

const model = scriptedModel([
  { calls: [{ tool: 'refund', args: { order: 'A7', euros: 20 } }] },
  prompt => (JSON.stringify(prompt.at(-1)).includes('is unknown') ? 'please look' : 'done'),
])

const refunding = (approval: Pick<ToolDefinition, 'approval'> = {}) => {
  const tools = { refund: defineTool(refund, { effect: 'once', ...approval }) }
  const engine = defineEngine({
    disposition: 'rerunnable',
    input: z.string(),
    async run(ctx) {
      const { text } = await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, tools),
        stopWhen: isStepCount(5),
        prompt: ctx.input,
      })
      return text
    },
  })
  return { tools, engine }
}

const { tools, engine } = refunding()

export default defineHost({
  registry: sqliteRegistry({ path }),
  models: { default: model },
  tools,
  engines: {
    refunds: engine,
    /** Two people must allow each. */
    allowedRefunds: refunding({ approval: { approvers: 2 } }).engine,
  },
})
