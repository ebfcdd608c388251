import { LeaseholdError } from '../model/errors.ts'
import type { DevServer, DevServerExit, DevServerOptions } from './dev-server.ts'
import { LOOPBACK } from './free-ports.ts'
import { untilNamespacesAnswer } from './frontend.ts'
import { startGuarded } from './guarded-command.ts'
import { type ServerPorts, serverArguments } from './server-arguments.ts'
import type { TemporalBinary } from './temporal-cli.ts'

/** About a second is usual; a loaded machine may take many. */
const READY_WITHIN_MS = 60_000

/** Its announcement: `Server:`, and `Temporal Server:` from newer CLIs. */
const ANNOUNCED = /^(Temporal )?Server:/

/** As Unix and Windows word it. The server also loses ports that it chose itself, for its inner services. */
const PORT_TAKEN = /address already in use|only one usage of each socket address/i

/**
 * Starts one server on these ports, and resolves when it answers. Rejects with `temporal_server_failed` if it ends
 * before that or takes too long, with `details.portTaken` if somebody else was quicker with a port.
 */
export async function launchServer(
  binary: TemporalBinary,
  ports: ServerPorts,
  options: DevServerOptions,
): Promise<DevServer> {
  const address = `${LOOPBACK}:${ports.frontend}`
  const { promise: announced, resolve: announce } = Promise.withResolvers<void>()
  let portTaken = false
  const server = startGuarded(binary.path, serverArguments(ports, options), {
    env: options.env,
    onStdout(line) {
      if (ANNOUNCED.test(line)) announce()
    },
    onStderr(line) {
      if (PORT_TAKEN.test(line)) portTaken = true
    },
  })
  let stopping = false
  const exited = server.exited.then((exit): DevServerExit => ({ ...exit, expected: stopping }))
  const stop = () => {
    stopping = true
    return server.stop()
  }

  const failure = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal
  const tooLate = setTimeout(() => failure.abort(neverReady(binary, address)), READY_WITHIN_MS)
  void exited.then(exit => failure.abort(endedEarly(binary, exit, portTaken)))
  try {
    // Its own announcement first: another server that has just taken the port would answer as well.
    await orAborted(announced, signal)
    const namespaces = ['default', ...(options.namespaces ?? [])]
    await orAborted(untilNamespacesAnswer(address, namespaces, signal), signal)
  } catch (error) {
    await stop()
    throw error
  } finally {
    clearTimeout(tooLate)
  }
  return {
    address,
    ...(ports.ui === undefined ? {} : { uiAddress: `http://${LOOPBACK}:${ports.ui}` }),
    source: binary.source,
    ...(server.pid === undefined ? {} : { pid: server.pid }),
    stop,
    exited,
    [Symbol.asyncDispose]: stop,
  }
}

function endedEarly(binary: TemporalBinary, exit: DevServerExit, portTaken: boolean): LeaseholdError {
  return new LeaseholdError(
    'temporal_server_failed',
    `The Temporal dev server (${binary.path}, from ${binary.source}) should have started, but ended with exit code ` +
      `${exit.code}. It said: ${exit.stderr.trim() || 'nothing'}\n` +
      'Correct what it names; if it is no Temporal CLI, set TEMPORAL_CLI_PATH to one, or TEMPORAL_ADDRESS to a running server.',
    { details: { path: binary.path, portTaken } },
  )
}

function neverReady(binary: TemporalBinary, address: string): LeaseholdError {
  return new LeaseholdError(
    'temporal_server_failed',
    `The Temporal dev server (${binary.path}, from ${binary.source}) should answer at ${address} within ` +
      `${READY_WITHIN_MS / 1000} s, but did not. If the machine is overloaded, try again; else run ` +
      `\`${binary.path} server start-dev\` by hand and see, or set TEMPORAL_ADDRESS to a running server.`,
    { details: { path: binary.path, address } },
  )
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return Promise.race([work, aborted])
}
