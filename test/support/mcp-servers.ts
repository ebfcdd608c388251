import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { McpServer } from '../../src/index.ts'

const SCRIPT = fileURLToPath(new URL('mcp-server.ts', import.meta.url))

/** A server that whoever connects to it starts. */
export const stdioServer = (folder: string): McpServer => ({
  command: process.execPath,
  args: [SCRIPT, 'stdio', folder],
})

/** Starts the server, again and again on the same port whenever it dies. */
export async function startHttpServer(folder: string): Promise<McpServer> {
  let isOver = false
  const start = async (port: string): Promise<string> => {
    const child = spawn(process.execPath, [SCRIPT, 'http', folder, port], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => {
      isOver = true
      child.kill('SIGKILL')
    })
    const [first] = await once(child.stdout, 'data')
    const bound = String(first).trim()
    child.on('exit', () => void (isOver || start(bound)))
    return bound
  }
  return { url: `http://127.0.0.1:${await start('0')}/mcp` }
}

export const MCP_TRANSPORTS = [
  { name: 'stdio', open: async (folder: string) => stdioServer(folder) },
  { name: 'streamable HTTP', open: startHttpServer },
]
