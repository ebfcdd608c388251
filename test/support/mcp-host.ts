import { z } from 'zod'
import {
  defineEngine,
  defineHost,
  durableTools,
  type McpServer,
  mcpTools,
  type RegistrySource,
} from '../../src/index.ts'

/** Calls one tool of an MCP server, as a model would. */
const call = defineEngine({
  disposition: 'rerunnable',
  input: z.object({ tool: z.enum(['files_read', 'files_write']), what: z.string() }),
  async run(ctx) {
    const { tool, what } = ctx.input
    const tools = durableTools(ctx, ctx.runtime.tools)
    return tools[tool]?.execute?.({ what }, { toolCallId: 'c1', messages: [], context: {} })
  },
})

export const mcpHost = (registry: RegistrySource, server: McpServer) =>
  defineHost({ registry, plugins: [mcpTools({ files: server })], engines: { call } })
