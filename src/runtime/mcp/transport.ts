import { loadMcp, type McpServer } from './server.ts'

export async function openTransport(server: McpServer) {
  const { StdioClientTransport, StreamableHTTPClientTransport } = await loadMcp()
  if ('url' in server) {
    const { url, headers } = server
    const requestInit = headers === undefined ? {} : { requestInit: { headers: { ...headers } } }
    return new StreamableHTTPClientTransport(new URL(url), requestInit)
  }
  const { command, args = [], env, cwd } = server
  return new StdioClientTransport({
    command,
    args: [...args],
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(cwd === undefined ? {} : { cwd }),
  })
}
