import { LeaseholdError } from '../../model/errors.ts'
import { asJson, fromJson, hashJson, type Json } from '../../model/json.ts'
import { timerMs } from '../../model/timer.ts'
import { definePlugin, type Plugin, type ToolTable } from '../plugin.ts'
import { defineTool, type ToolCallOptions, type ToolDefinition } from '../tool.ts'
import { loadSdk } from '../turn/sdk.ts'
import { McpConnection, type McpToolInfo } from './connection.ts'
import { isAnswer } from './mcp-errors.ts'
import type { McpServer } from './server.ts'

export interface McpToolsOptions {
  /** The plugin's name. Default `mcp`. */
  readonly name?: string
  /** How long a connection that no runtime uses is kept, in milliseconds. Default 30,000. */
  readonly idleMs?: number
}

/**
 * A plugin whose tools are those of MCP servers, named `<server>_<tool>`; each call is a journaled step like any tool's.
 * The connections are shared by all runtimes of this OS process, opened when they are needed and again when they were
 * lost. Disposing of the plugin closes them.
 */
export function mcpTools(
  servers: Readonly<Record<string, McpServer>>,
  { name = 'mcp', idleMs = 30_000 }: McpToolsOptions = {},
): Plugin & AsyncDisposable {
  const connections = Object.entries(servers).map(([server, options]) => ({
    server,
    options,
    connection: new McpConnection(server, options),
  }))
  const toolsOfAll = async (list: Json): Promise<ToolTable> => {
    const byServer = fromJson<Readonly<Record<string, readonly McpToolInfo[]>>>(list)
    const tables = connections.map(connected => toolsOf(connected, byServer[connected.server] ?? []))
    return Object.fromEntries(requireDistinct((await Promise.all(tables)).flat()))
  }
  let runtimes = 0
  let idle: NodeJS.Timeout | undefined
  const closeAll = async () => {
    clearTimeout(idle)
    await Promise.all(connections.map(({ connection }) => connection.close()))
  }
  const release = () => {
    runtimes--
    if (runtimes === 0) idle = setTimeout(() => void closeAll(), timerMs(idleMs))
  }
  const plugin = definePlugin(name, async (_, { signal }) => {
    runtimes++
    clearTimeout(idle)
    try {
      const listed = await Promise.all(
        connections.map(
          async ({ server, connection }) => [server, await connection.listTools(signal)] as const,
        ),
      )
      const list = asJson(Object.fromEntries(listed))
      return { listed: { list, toolsOf: toolsOfAll }, hooks: { dispose: release } }
    } catch (error) {
      release()
      throw error
    }
  })
  return Object.assign(plugin, { [Symbol.asyncDispose]: closeAll })
}

interface Connected {
  readonly server: string
  readonly options: McpServer
  readonly connection: McpConnection
}

async function toolsOf(
  { server, options, connection }: Connected,
  tools: readonly McpToolInfo[],
): Promise<(readonly [string, ToolDefinition])[]> {
  const { jsonSchema } = await loadSdk()
  return tools.map(({ name, description, inputSchema, isRepeatable }) => {
    const effect = options.effects?.[name] ?? (isRepeatable ? 'repeatable' : 'once')
    const tool = {
      ...(description === undefined ? {} : { description }),
      inputSchema: jsonSchema(inputSchema as Parameters<typeof jsonSchema>[0]),
      execute: (args: { readonly [name: string]: unknown }, call: ToolCallOptions) =>
        connection.call({
          tool: name,
          args,
          operationId: call.operationId,
          signal: call.abortSignal,
          isRepeatable: effect === 'repeatable',
        }),
    }
    const definition = defineTool(tool, { id: `mcp:${server}:${name}`, effect, isNotDone: isAnswer })
    return [nameOf(server, name), definition]
  })
}

/** What every provider takes as a tool's name; of a longer one the end is made a digest of the whole. */
function nameOf(server: string, tool: string): string {
  const name = `${server}_${tool}`.replaceAll(/[^a-zA-Z0-9_-]/g, '_')
  if (name.length <= MAX_NAME) return name
  return `${name.slice(0, MAX_NAME - DIGEST - 1)}_${hashJson([server, tool]).slice(0, DIGEST)}`
}

const MAX_NAME = 64
const DIGEST = 8

/** A tool in the place of another would be called for it. */
function requireDistinct<Entry extends readonly [string, ToolDefinition]>(
  entries: readonly Entry[],
): readonly Entry[] {
  const ids = new Map<string, string | undefined>()
  for (const [name, { id }] of entries) {
    if (ids.has(name)) {
      throw new LeaseholdError(
        'host_invalid',
        `The MCP tools ${ids.get(name)} and ${id} would both be named "${name}". Give one of the servers another name.`,
        { details: { tool: name } },
      )
    }
    ids.set(name, id)
  }
  return entries
}
