import { LeaseholdError } from '../../model/errors.ts'
import type { StepEffect } from '../../model/journal.ts'

/** A server that is started here and spoken to by its standard input and output, or one behind an address. */
export type McpServer = (
  | {
      readonly command: string
      readonly args?: readonly string[]
      /** Beside the few variables that every child process gets. */
      readonly env?: Readonly<Record<string, string>>
      readonly cwd?: string
    }
  | {
      /** Of streamable HTTP. */
      readonly url: string
      readonly headers?: Readonly<Record<string, string>>
    }
) & {
  /** Milliseconds for one call without a word from the server. Default 300,000. */
  readonly timeoutMs?: number
  /**
   * By the server's own names of its tools. Default: `repeatable` where the server says of a tool that it only reads or is
   * idempotent, else `once`.
   */
  readonly effects?: Readonly<Record<string, StepEffect>>
}

/** The protocol's SDK, loaded by whoever needs it first. */
export async function loadMcp() {
  const [{ Client }, { StdioClientTransport }, { StreamableHTTPClientTransport }, types] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('@modelcontextprotocol/sdk/client/stdio.js'),
    import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
    import('@modelcontextprotocol/sdk/types.js'),
  ]).catch(cause => {
    throw new LeaseholdError(
      'process_runtime_build_failed',
      'MCP servers need the SDK of the protocol, which cannot be loaded. Install it beside this package: npm install @modelcontextprotocol/sdk',
      { cause },
    )
  })
  const { ToolListChangedNotificationSchema } = types
  return { Client, StdioClientTransport, StreamableHTTPClientTransport, ToolListChangedNotificationSchema }
}
