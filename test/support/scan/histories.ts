import { once } from 'node:events'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { temporal } from '@temporalio/proto'
import { secretsIn, TEMPORAL_METADATA } from './run-secrets.ts'

const { v1 } = temporal.api.workflowservice
const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService'
const NAMESPACE = 'default'
/** Calls in flight: a history takes the server a few milliseconds. */
const WIDTH = 16

export interface ScannedHistories {
  readonly runs: number
  readonly bytes: number
  /** `history of p-1: the key of a model`. */
  readonly findings: readonly string[]
  readonly hasControl: boolean
}

/** Looks for planted secrets in the bytes of every history that the server has, and in its list of runs. */
export async function scanHistories(address: string): Promise<ScannedHistories> {
  const connection = await openConnection(address)
  using _ = { [Symbol.dispose]: connection.close }
  const findings: string[] = []
  let [bytes, hasControl] = [0, false]
  const look = (where: string, answer: Buffer) => {
    bytes += answer.length
    const found = secretsIn(answer)
    hasControl ||= found.hasControl
    if (found.secrets.length > 0) findings.push(`${where}: ${found.secrets.join(', ')}`)
  }

  const runs: Run[] = []
  for (let token: Uint8Array | undefined; ; ) {
    const request = v1.ListWorkflowExecutionsRequest.encode({
      namespace: NAMESPACE,
      pageSize: 1_000,
      ...(token === undefined ? {} : { nextPageToken: token }),
    })
    const answer = await connection.call('ListWorkflowExecutions', request.finish())
    look('the list of runs', answer)
    const page = v1.ListWorkflowExecutionsResponse.decode(answer)
    for (const { execution } of page.executions) {
      runs.push({ workflowId: execution?.workflowId ?? '', runId: execution?.runId ?? '' })
    }
    if (page.nextPageToken.length === 0) break
    token = page.nextPageToken
  }

  const left = runs.values()
  const takeRuns = async () => {
    for (const run of left)
      for await (const page of connection.history(run)) look(`history of ${run.workflowId}`, page)
  }
  await Promise.all(Array.from({ length: WIDTH }, takeRuns))
  return { runs: runs.length, bytes, findings: [...new Set(findings)], hasControl }
}

interface Run {
  readonly workflowId: string
  readonly runId: string
}

/** Answers as the bytes that the server sends: what a client makes of them could leave something out. */
async function openConnection(address: string) {
  const session = connect(`http://${address}`)
  await once(session, 'connect')
  const call = async (method: string, request: Uint8Array): Promise<Buffer> => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `${SERVICE}/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...TEMPORAL_METADATA,
    })
    let status: unknown
    // A call that fails at once has its status in the only headers that it gets.
    const note = (headers: IncomingHttpHeaders) => {
      status = headers['grpc-status'] ?? status
    }
    stream.on('response', note).on('trailers', note)
    const prefix = Buffer.alloc(PREFIX)
    prefix.writeUInt32BE(request.length, 1)
    stream.end(Buffer.concat([prefix, request]))
    const answer = await buffer(stream)
    if (status !== OK) throw new CallFailed(method, status)
    return answer.subarray(PREFIX)
  }
  return {
    call,
    async *history(execution: Run): AsyncGenerator<Buffer> {
      for (let token: Uint8Array | undefined; ; ) {
        const request = v1.GetWorkflowExecutionHistoryRequest.encode({
          namespace: NAMESPACE,
          execution,
          ...(token === undefined ? {} : { nextPageToken: token }),
        })
        const answer = await call('GetWorkflowExecutionHistory', request.finish()).catch(error => {
          // Deleted, by a test that shows what happens then.
          if (error instanceof CallFailed && error.status === NOT_FOUND) return undefined
          throw error
        })
        if (answer === undefined) return
        yield answer
        const { nextPageToken } = v1.GetWorkflowExecutionHistoryResponse.decode(answer)
        if (nextPageToken.length === 0) return
        token = nextPageToken
      }
    },
    close: () => session.destroy(),
  }
}

/** Of gRPC, before each message: whether it is compressed, and its length. */
const PREFIX = 5
const OK = '0'
const NOT_FOUND = '5'

class CallFailed extends Error {
  readonly status: unknown

  constructor(method: string, status: unknown) {
    super(`${method} was answered with status ${status}`)
    this.status = status
  }
}
