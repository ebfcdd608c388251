import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { LeaseholdError, messageOf } from '../../model/errors.ts'
import { type Json, toJson } from '../../model/json.ts'
import { StepNotDone } from '../context.ts'
import { isAnswer, McpToolError } from './mcp-errors.ts'
import { loadMcp, type McpServer } from './server.ts'
import { openTransport } from './transport.ts'

export interface McpToolInfo {
  readonly name: string
  readonly description?: string
  readonly inputSchema: Json
  /** The server says that a second call changes nothing more than the first, or nothing at all. */
  readonly isRepeatable: boolean
}

export interface McpCall {
  readonly tool: string
  readonly args: { readonly [name: string]: unknown }
  readonly operationId: string
  readonly signal: AbortSignal
  /** May be sent again where the connection was lost and nobody knows whether it arrived. */
  readonly isRepeatable: boolean
}

/** Of one call that may be repeated. */
const CALL_TRIES = 3
/** A server that is started again is there within seconds. */
const CONNECT_TRIES = 5
const DELAY_MS = 200

/**
 * One server, connected when it is needed and again when it was lost. It outlives the attempts that use it, so it is
 * connected outside of their asynchronous context: their end, or a cancel, must not end its OS process.
 */
export class McpConnection {
  readonly #name: string
  readonly #server: McpServer
  readonly #outside = AsyncLocalStorage.snapshot()
  #client: Promise<Client> | undefined
  #tools: readonly McpToolInfo[] | undefined
  #isListed = false

  constructor(name: string, server: McpServer) {
    this.#name = name
    this.#server = server
  }

  /** What the server has; where it cannot be reached, what it had. Throws `mcp_unreachable` if it never could. */
  async listTools(): Promise<readonly McpToolInfo[]> {
    if (this.#isListed && this.#tools !== undefined && this.#client !== undefined) return this.#tools
    try {
      const client = await this.#connectInTime(undefined)
      this.#tools = await listAll(client)
      this.#isListed = true
      return this.#tools
    } catch (cause) {
      if (this.#tools !== undefined) return this.#tools
      throw new LeaseholdError(
        'mcp_unreachable',
        `The MCP server "${this.#name}" cannot be reached: ${messageOf(cause)}. Check that it runs; the attempt is repeated.`,
        { cause, details: { server: this.#name } },
      )
    }
  }

  async call(call: McpCall): Promise<Json> {
    for (let tried = 1; ; tried++) {
      const client = await this.#connectInTime(call.signal).catch(cause => {
        // Nothing was sent.
        throw new StepNotDone(`the MCP server "${this.#name}" cannot be reached: ${messageOf(cause)}`, {
          cause,
        })
      })
      try {
        return await this.#callOnce(client, call)
      } catch (error) {
        if (isAnswer(error)) throw error
        // A session that the server has forgotten is opened anew.
        this.#drop(client)
        call.signal.throwIfAborted()
        if (!call.isRepeatable || tried >= CALL_TRIES) throw error
        await sleep(DELAY_MS * tried, undefined, { signal: call.signal })
      }
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await (await client?.catch(() => undefined))?.close().catch(() => {})
  }

  async #callOnce(client: Client, { tool, args, operationId, signal }: McpCall): Promise<Json> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#server
    const result = await client.callTool(
      { name: tool, arguments: { ...args }, _meta: { 'leasehold/operationId': operationId } },
      undefined,
      // Without a listener the server is not asked for its progress, and says nothing until it is done.
      { signal, timeout: timeoutMs, resetTimeoutOnProgress: true, onprogress: () => {} },
    )
    const said = readResult(result)
    if (result.isError === true)
      throw new McpToolError(typeof said === 'string' ? said : JSON.stringify(said))
    return said
  }

  async #connectInTime(signal: AbortSignal | undefined): Promise<Client> {
    for (let tried = 1; ; tried++) {
      this.#client ??= this.#outside(() => this.#connect())
      const connecting = this.#client
      try {
        return await connecting
      } catch (error) {
        if (this.#client === connecting) this.#client = undefined
        signal?.throwIfAborted()
        if (tried >= CONNECT_TRIES) throw error
        await sleep(DELAY_MS * 2 ** (tried - 1), undefined, signal === undefined ? {} : { signal })
      }
    }
  }

  async #connect(): Promise<Client> {
    const { Client, ToolListChangedNotificationSchema } = await loadMcp()
    const client = new Client({ name: 'leasehold', version: '1' })
    const connection = openTransport(this.#server)
    client.onclose = () => this.#drop(client)
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      this.#isListed = false
    })
    this.#isListed = false
    // The SDK's transports name their session id in a way that exactOptionalPropertyTypes does not take.
    await client.connect((await connection) as Parameters<Client['connect']>[0])
    return client
  }

  #drop(client: Client): void {
    const current = this.#client
    void current?.then(
      connected => {
        if (connected !== client || this.#client !== current) return
        this.#client = undefined
        client.close().catch(() => {})
      },
      () => {},
    )
  }
}

const DEFAULT_TIMEOUT_MS = 300_000

async function listAll(client: Client): Promise<McpToolInfo[]> {
  const found: McpToolInfo[] = []
  let cursor: string | undefined
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor })
    for (const { name, description, inputSchema, annotations = {} } of page.tools) {
      const { readOnlyHint, idempotentHint } = annotations
      const schema = toJson(inputSchema)
      found.push({
        name,
        ...(description === undefined ? {} : { description }),
        inputSchema: schema.ok ? schema.json : { type: 'object' },
        isRepeatable: readOnlyHint === true || idempotentHint === true,
      })
    }
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return found
}

/** What is structured as it is; texts as one text; anything else as the protocol has it. */
function readResult(result: { readonly [member: string]: unknown }): Json {
  const { structuredContent, content } = result
  const stored = toJson(structuredContent ?? textOf(content) ?? content ?? null)
  if (stored.ok) return stored.json
  throw new McpToolError(`its result is no JSON: found ${stored.found} at ${stored.path}`)
}

function textOf(content: unknown): string | undefined {
  if (!Array.isArray(content)) return undefined
  const texts = content.map(part => (part?.type === 'text' ? String(part.text) : undefined))
  return texts.every(text => text !== undefined) ? texts.join('\n') : undefined
}
