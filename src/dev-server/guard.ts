/*
 * A process of its own, between an owner and the command it started: `guard <graceMs> <command> ...args`.
 * It ends the command when the owner is gone, for whatever reason: the operating system closes the owner's end
 * of the channel even after a SIGKILL. Guard and command are a session of their own, so a Ctrl-C in the owner's
 * terminal does not reach them; the owner decides when they end, by closing the channel.
 *
 *   running --(channel closed | a signal to the guard)--> ending: SIGTERM to the group, SIGKILL after graceMs
 *   running or ending --(the command has exited)--> the guard exits with its code (128 + n after signal n)
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

// The owner may have died while this file was being loaded, before anybody listened.
if (!process.connected) process.exit()

const [graceMs, command = '', ...args] = process.argv.slice(2)
let ending = false

process.on('disconnect', end)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end)

const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
child.once('spawn', () => {
  if (process.connected) process.send?.({ pid: child.pid })
})
child.once('error', error => {
  console.error(`cannot run ${command}: ${error.message}`)
  process.exit(127)
})
child.once('exit', (code, signal) => {
  // What the command itself has left behind (compilers of a killed `go`) goes with it.
  signalGroup('SIGTERM')
  process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0))
})

function end(): void {
  if (ending) return
  ending = true
  signalGroup('SIGTERM')
  setTimeout(() => signalGroup('SIGKILL'), Number(graceMs))
}

/** SIGTERM comes back to the guard, where `end` ignores it; SIGKILL takes the guard along, as its last act. */
function signalGroup(signal: 'SIGTERM' | 'SIGKILL'): void {
  if (process.platform === 'win32') child.kill(signal)
  else process.kill(-process.pid, signal)
}
