/**
 * A real MCP server in an OS process of its own: `node mcp-server.ts stdio|http FOLDER [PORT]`. What it is told to do it
 * writes into the folder, so that a test counts what was done by whatever life of it.
 */
import { appendFileSync, existsSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'

const [, , kind = 'stdio', folder = '.', port = '0'] = process.argv

const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] })
/** Waits, where the folder says so, for as long as it does. */
async function hold(): Promise<void> {
  while (existsSync(join(folder, 'held'))) await sleep(10)
}

/** Where the folder says so, it answers nobody until it says otherwise, or whoever has started it closes its input. */
async function deafness(): Promise<void> {
  if (!existsSync(join(folder, 'deaf'))) return
  process.stdin.on('end', () => process.exit()).resume()
  while (existsSync(join(folder, 'deaf'))) await sleep(10)
}

/** Writes down what is asked, and dies of the first time, unless the folder says that it is safe. */
function note(name: string, line: string): void {
  const path = join(folder, name)
  const isFirst = !existsSync(path)
  appendFileSync(path, `${line}\n`)
  if (isFirst && !existsSync(join(folder, 'safe'))) process.kill(process.pid, 'SIGKILL')
}

function createMcp(): McpServer {
  const server = new McpServer({ name: 'test', version: '1' })
  server.registerTool(
    'read',
    { description: 'Reads.', inputSchema: { what: z.string() }, annotations: { readOnlyHint: true } },
    async ({ what }) => {
      note('reads', what)
      await hold()
      return text(`read ${what}`)
    },
  )
  // A later version has another tool in its place.
  const write = existsSync(join(folder, 'later')) ? 'append' : 'write'
  server.registerTool(write, { inputSchema: { what: z.string() } }, async ({ what }, { _meta }) => {
    note('writes', `${what} ${_meta?.['leasehold/operationId']}`)
    await hold()
    return { ...text(''), structuredContent: { written: what } }
  })
  server.registerTool('tell', { annotations: { readOnlyHint: true } }, async ({ _meta }) =>
    text(_meta?.progressToken === undefined ? 'nobody listens' : 'somebody hears how far it is'),
  )
  server.registerTool('refuse', {}, async () => ({ ...text('not today'), isError: true }))
  return server
}

const beginLife = () => appendFileSync(join(folder, 'lives'), `${process.pid}\n`)
if (kind === 'stdio') {
  beginLife()
  await deafness()
  await createMcp().connect(new StdioServerTransport())
} else {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const server = createServer(async (request, response) => {
    const known = sessions.get(String(request.headers['mcp-session-id']))
    if (known !== undefined) return known.handleRequest(request, response)
    if (request.headers['mcp-session-id'] !== undefined) return void response.writeHead(404).end()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: id => void sessions.set(id, transport),
    })
    await createMcp().connect(transport as Parameters<McpServer['connect']>[0])
    await transport.handleRequest(request, response)
  })
  server.listen(Number(port), '127.0.0.1', () => {
    const address = server.address() as AddressInfo
    beginLife()
    writeSync(1, `${address.port}\n`)
  })
}
