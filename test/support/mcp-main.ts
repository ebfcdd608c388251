/** An inline worker with the tools of an MCP server: `node mcp-main.ts OPTIONS`. */
import { writeSync } from 'node:fs'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createInlineWorker, type McpServer } from '../../src/index.ts'
import { mcpHost } from './mcp-host.ts'

export interface McpMainOptions {
  /** `sqlite:PATH` or `postgres://…`. */
  readonly registry: string
  readonly server: McpServer
}

const { registry, server }: McpMainOptions = JSON.parse(process.argv[2] ?? '{}')
// Whoever started it has gone.
process.stdin.resume().on('end', () => process.exit())
const worker = createInlineWorker(mcpHost(parseRegistryAddress(registry), server))
await worker.ready
writeSync(1, `${JSON.stringify({ what: 'ready' })}\n`)
await worker.run()
process.exit()
