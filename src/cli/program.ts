import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { CliContext } from './context.ts'

type CreateCommand = (context: CliContext) => Command

/** In the order of the help. Each is loaded when it is asked for: most of what they import, the others do not need. */
const COMMANDS: Readonly<Record<string, () => Promise<CreateCommand>>> = {
  dev: async () => (await import('./commands/dev.ts')).devCommand,
  worker: async () => (await import('./commands/worker.ts')).workerCommand,
  start: async () => (await import('./commands/start.ts')).startCommand,
  show: async () => (await import('./commands/show.ts')).showCommand,
  list: async () => (await import('./commands/list.ts')).listCommand,
  events: async () => (await import('./commands/events.ts')).eventsCommand,
  stream: async () => (await import('./commands/stream.ts')).streamCommand,
  steps: async () => (await import('./commands/steps.ts')).stepsCommand,
  effects: async () => (await import('./commands/effects.ts')).effectsCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  await: async () => (await import('./commands/await.ts')).awaitCommand,
  cancel: async () => (await import('./commands/cancel.ts')).cancelCommand,
  signal: async () => (await import('./commands/signal.ts')).signalCommand,
  fork: async () => (await import('./commands/fork.ts')).forkCommand,
  abandon: async () => (await import('./commands/abandon.ts')).abandonCommand,
  complete: async () => (await import('./commands/complete.ts')).completeCommand,
  resolve: async () => (await import('./commands/resolve.ts')).resolveCommand,
  approvals: async () => (await import('./commands/approvals.ts')).approvalsCommand,
  approve: async () => (await import('./commands/approvals.ts')).approveCommand,
  deny: async () => (await import('./commands/approvals.ts')).denyCommand,
  sweep: async () => (await import('./commands/sweep.ts')).sweepCommand,
  drain: async () => (await import('./commands/drain.ts')).drainCommand,
  'host-dead': async () => (await import('./commands/host-dead.ts')).hostDeadCommand,
  prune: async () => (await import('./commands/prune.ts')).pruneCommand,
  wakes: async () => (await import('./commands/wakes.ts')).wakesCommand,
  sessions: async () => (await import('./commands/sessions.ts')).sessionsCommand,
  triggers: async () => (await import('./commands/triggers.ts')).triggersCommand,
  'deploy-check': async () => (await import('./commands/deploy-check.ts')).deployCheckCommand,
  replay: async () => (await import('./commands/replay.ts')).replayCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
}

const AFTER_HELP = `
Exit codes: 0 done · 1 failed · 2 usage · 3 unknown process · 4 conflict · 5 registry or server unreachable
            await: 0 completed · 10 failed · 11 cancelled · 12 abandoned · 13 still running at the timeout
            128 + n: stopped by signal n before the end; dev and worker that were ready: 0`

/**
 * The command line: with the one command that the word names, or with all of them where it names none. Its errors are
 * thrown, so that they take the same form as all others.
 */
export async function createProgram(context: CliContext, word?: string): Promise<Command> {
  const program = new Command('leasehold')
    .description('Durable background processes for TypeScript agent hosts, on Temporal')
    .version(packageVersion())
    .addHelpText('after', AFTER_HELP)
  for (const create of await loadCommands(word)) {
    program.addCommand(
      create(context).option('--json', 'answer in JSON').option('--debug', 'show where an error happened'),
    )
  }
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: () => {} })
  }
  return program
}

function loadCommands(word = ''): Promise<CreateCommand[]> {
  const named = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined
  return Promise.all((named === undefined ? Object.values(COMMANDS) : [named]).map(load => load()))
}

/** Two folders up in the source and in the built package alike. */
function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}
