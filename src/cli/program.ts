import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { abandonCommand } from './commands/abandon.ts'
import { approvalsCommand, approveCommand, denyCommand } from './commands/approvals.ts'
import { awaitCommand } from './commands/await.ts'
import { cancelCommand } from './commands/cancel.ts'
import { completeCommand } from './commands/complete.ts'
import { deployCheckCommand } from './commands/deploy-check.ts'
import { devCommand } from './commands/dev.ts'
import { doctorCommand } from './commands/doctor.ts'
import { drainCommand } from './commands/drain.ts'
import { effectsCommand } from './commands/effects.ts'
import { eventsCommand } from './commands/events.ts'
import { explainCommand } from './commands/explain.ts'
import { forkCommand } from './commands/fork.ts'
import { hostDeadCommand } from './commands/host-dead.ts'
import { listCommand } from './commands/list.ts'
import { pruneCommand } from './commands/prune.ts'
import { replayCommand } from './commands/replay.ts'
import { resolveCommand } from './commands/resolve.ts'
import { showCommand } from './commands/show.ts'
import { signalCommand } from './commands/signal.ts'
import { startCommand } from './commands/start.ts'
import { stepsCommand } from './commands/steps.ts'
import { streamCommand } from './commands/stream.ts'
import { sweepCommand } from './commands/sweep.ts'
import { triggersCommand } from './commands/triggers.ts'
import { wakesCommand } from './commands/wakes.ts'
import { workerCommand } from './commands/worker.ts'
import type { CliContext } from './context.ts'

const COMMANDS = [
  devCommand,
  workerCommand,
  startCommand,
  showCommand,
  listCommand,
  eventsCommand,
  streamCommand,
  stepsCommand,
  effectsCommand,
  explainCommand,
  awaitCommand,
  cancelCommand,
  signalCommand,
  forkCommand,
  abandonCommand,
  completeCommand,
  resolveCommand,
  approvalsCommand,
  approveCommand,
  denyCommand,
  sweepCommand,
  drainCommand,
  hostDeadCommand,
  pruneCommand,
  wakesCommand,
  triggersCommand,
  deployCheckCommand,
  replayCommand,
  doctorCommand,
]

const AFTER_HELP = `
Exit codes: 0 done · 1 failed · 2 usage · 3 unknown process · 4 conflict · 5 registry or server unreachable
            await: 0 completed · 10 failed · 11 cancelled · 12 abandoned · 13 still running at the timeout
            128 + n: stopped by signal n before the end; dev and worker that were ready: 0`

/** The whole command line. Its errors are thrown, so that they take the same form as all others. */
export function createProgram(context: CliContext): Command {
  const program = new Command('leasehold')
    .description('Durable background processes for TypeScript agent hosts, on Temporal')
    .version(packageVersion())
    .addHelpText('after', AFTER_HELP)
  for (const create of COMMANDS) {
    program.addCommand(
      create(context).option('--json', 'answer in JSON').option('--debug', 'show where an error happened'),
    )
  }
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: () => {} })
  }
  return program
}

/** Two folders up in the source and in the built package alike. */
function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}
