/**
 * `node postgres-main.ts COMMAND ...ARGS`: runs PostgreSQL as somebody who is not root, which it refuses to run as, and
 * turns a request to end into a fast shutdown: the one it would make of it waits for its clients.
 */
import { spawn } from 'node:child_process'
import { notRoot } from './not-root.ts'

const [command = '', ...args] = process.argv.slice(2)
const server = spawn(command, args, { stdio: 'inherit', ...notRoot() })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => server.kill('SIGINT'))
server.once('exit', code => process.exit(code ?? 1))
