import type { Connection } from '@temporalio/client'
import { LeaseholdError } from '../model/errors.ts'
import { findTestServer } from './find-test-server.ts'
import { findFreePorts, LOOPBACK } from './free-ports.ts'
import { untilNamespacesAnswer } from './frontend.ts'
import { startGuarded } from './guarded-command.ts'
import type { FindTemporalServerOptions } from './temporal-cli.ts'

/** A virtual machine starts; a loaded machine may take many times the usual two seconds. */
const READY_WITHIN_MS = 120_000

/** A server whose time can be skipped. A registry beside it is to be given a clock that follows it. */
export interface TestServer extends AsyncDisposable {
  /** `host:port` of the gRPC frontend. */
  readonly address: string
  /** What its clock shows, in milliseconds since 1970. */
  currentTimeMs(): Promise<number>
  /** Lets that much time pass on its clock; returns when it has. */
  skip(ms: number): Promise<void>
  /** Ends the server and waits for its end. May be called twice. */
  stop(): Promise<void>
}

/** Starts Temporal's time-skipping test server on loopback. Its time runs as usual until it is skipped. */
export async function startTestServer(options: FindTemporalServerOptions): Promise<TestServer> {
  const { path, source } = await findTestServer(options)
  const [port = 0] = await findFreePorts([0])
  const address = `${LOOPBACK}:${port}`
  const server = startGuarded(path, [String(port)], { env: options.env })
  const failure = new AbortController()
  const fail = (what: string) =>
    failure.abort(
      new LeaseholdError(
        'temporal_server_failed',
        `Temporal's test server (${path}, from ${source}) should answer at ${address}, but ${what}. If it is no test server, set TEMPORAL_TEST_SERVER_PATH to one; if it needs Java, put that on PATH.`,
        { details: { path, address } },
      ),
    )
  const tooLate = setTimeout(() => fail(`did not within ${READY_WITHIN_MS / 1_000} s`), READY_WITHIN_MS)
  void server.exited.then(({ code, stderr }) => fail(`ended with exit code ${code}, and said: ${stderr}`))
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal
  try {
    await untilNamespacesAnswer(address, ['default'], signal)
    signal.throwIfAborted()
  } catch (error) {
    await server.stop()
    throw error
  } finally {
    clearTimeout(tooLate)
  }
  const connection = await connectForTests(address).catch(async error => {
    await server.stop()
    throw error
  })
  const { testService } = connection
  if (testService === undefined) throw new Error('the connection was asked for a test service')
  const stop = async () => {
    await connection.close()
    await server.stop()
  }
  return {
    address,
    async currentTimeMs() {
      const { time } = await testService.getCurrentTime({})
      const { tsToMs } = await import('@temporalio/common')
      return tsToMs(time)
    },
    async skip(ms) {
      const { msToTs } = await import('@temporalio/common')
      await testService.unlockTimeSkippingWithSleep({ duration: msToTs(ms) })
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** As the SDK's own test environment does; that one would give a virtual machine no more than five seconds to start. */
async function connectForTests(address: string): Promise<Connection> {
  // Loaded late, as in frontend.ts.
  // biome-ignore lint/style/noRestrictedImports: a file of Temporal's own package, and no layer of ours
  const sdk = await import('@temporalio/client/lib/connection.js')
  const options: Parameters<typeof sdk.Connection.connect>[0] & object = {
    address,
    ...{ [sdk.InternalConnectionOptionsSymbol]: { supportsTestService: true } },
  }
  return sdk.Connection.connect(options)
}
