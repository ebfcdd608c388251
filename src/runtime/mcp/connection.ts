import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { LeaseholdError, messageOf } from '../../model/errors.ts'
import { type Json, toJson } from '../../model/json.ts'
import { StepNotDone } from '../context.ts'
import { unlessAborted } from '../unless-aborted.ts'
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

/** A connection that is being made, or is. */
interface Opening {
  readonly client: Promise<Client>
  readonly giveUp: AbortController
  waiting: number
  isMade: boolean
}

/**
 * One server, connected when it is needed and again when it was lost. It outlives the attempts that use it, so it is
 * connected outside of their asynchronous context: their end, or a cancel, must not end its OS process. Only while it is
 * being connected does it end with the last of those who wait for it.
 */
export class McpConnection {
  readonly #name: string
  readonly #server: McpServer
  readonly #outside = AsyncLocalStorage.snapshot()
  #opening: Opening | undefined
  #tools: readonly McpToolInfo[] | undefined
  #isListed = false

  constructor(name: string, server: McpServer) {
    this.#name = name
    this.#server = server
  }

  /**
   * What the server has; where it cannot be reached, what it had. Throws `mcp_unreachable` if it never could, and the
   * signal's reason at once when that fires.
   */
  async listTools(signal: AbortSignal): Promise<readonly McpToolInfo[]> {
    if (this.#isListed && this.#tools !== undefined && this.#opening !== undefined) return this.#tools
    try {
      const client = await this.#connectInTime(signal)
      this.#tools = await listAll(client, signal)
      this.#isListed = true
      return this.#tools
    } catch (cause) {
      signal.throwIfAborted()
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
    const opening = this.#opening
    this.#opening = undefined
    if (opening?.isMade === false) opening.giveUp.abort(new Error('the connection was closed'))
    await (await opening?.client.catch(() => undefined))?.close().catch(() => {})
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

  async #connectInTime(signal: AbortSignal): Promise<Client> {
    for (let tried = 1; ; tried++) {
      signal.throwIfAborted()
      this.#opening ??= this.#outside(() => this.#open())
      const opening = this.#opening
      opening.waiting++
      try {
        return await unlessAborted(opening.client, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (this.#opening === opening) this.#opening = undefined
        if (tried >= CONNECT_TRIES) throw error
      } finally {
        opening.waiting--
        if (signal.aborted) this.#leave(opening)
      }
      await sleep(DELAY_MS * 2 ** (tried - 1), undefined, { signal })
    }
  }

  #open(): Opening {
    const giveUp = new AbortController()
    const client = this.#connect(giveUp.signal)
    const opening: Opening = { client, giveUp, waiting: 0, isMade: false }
    client.then(
      () => {
        opening.isMade = true
      },
      () => {}, // whoever waits hears of it
    )
    return opening
  }

  /** The last of those who wait for it ends what is not connected yet, and the server that was started for it. */
  #leave(opening: Opening): void {
    if (opening.waiting > 0 || opening.isMade) return
    if (this.#opening === opening) this.#opening = undefined
    opening.giveUp.abort(new Error('nobody waits for the connection any more'))
  }

  async #connect(signal: AbortSignal): Promise<Client> {
    const { Client, ToolListChangedNotificationSchema } = await loadMcp()
    const client = new Client({ name: 'leasehold', version: '1' })
    const transport = await openTransport(this.#server)
    client.onclose = () => this.#drop(client)
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      this.#isListed = false
    })
    this.#isListed = false
    // What starts a server ends it as well, but not before it is started.
    signal.throwIfAborted()
    // The SDK's transports name their session id in a way that exactOptionalPropertyTypes does not take.
    await client.connect(transport as Parameters<Client['connect']>[0], { signal })
    return client
  }

  #drop(client: Client): void {
    const current = this.#opening
    void current?.client.then(
      connected => {
        if (connected !== client || this.#opening !== current) return
        this.#opening = undefined
        client.close().catch(() => {})
      },
      () => {},
    )
  }
}

const DEFAULT_TIMEOUT_MS = 300_000

async function listAll(client: Client, signal: AbortSignal): Promise<McpToolInfo[]> {
  const found: McpToolInfo[] = []
  let cursor: string | undefined
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor }, { signal })
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
