import { Command, Option } from 'commander'
import type { ProcessClient } from '../../client/process-client.ts'
import { DISPOSITIONS, type Disposition } from '../../model/process.ts'
import { borrowRegistry } from '../../runtime/open-registry.ts'
import type { AnyStart } from '../../runtime/start-request.ts'
import { awaitOutcomeOrInterrupt } from '../await-outcome.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  temporalOptions,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { EXIT_OF_OUTCOME } from '../exit-code.ts'
import { type FlowFlags, flowOf, flowOptions } from '../flow-options.ts'
import { readJson } from '../json-input.ts'
import { loadHost, requireHostFile } from '../load-host.ts'
import { wholeNumber } from '../option-values.ts'
import { withInlineClient, withProcessClient } from '../process-client.ts'
import { outcomeLines, processLines } from '../process-lines.ts'

interface StartFlags extends ConnectionFlags, FlowFlags {
  readonly id?: string
  readonly input?: string
  readonly disposition?: Disposition
  readonly label?: string
  readonly maxAttempts?: number
  readonly reuse?: true
  readonly wait?: true
  readonly inline?: true
}

export function startCommand(context: CliContext): Command {
  const command = new Command('start')
    .description('start a process and print its record; the same id and request again starts nothing')
    .argument('<kind>', 'an engine of the host module, tool_call, session_turn, or external')
    .option('--id <id>', 'process id (default: one is made)')
    .option('--input <json>', 'JSON, @FILE, or - for standard input')
    .addOption(new Option('--disposition <disposition>', 'narrows the kind’s').choices(DISPOSITIONS))
    .option('--label <text>', 'for people, in lists')
    .option('--max-attempts <n>', 'attempts that may end without outcome', wholeNumber({ min: 1 }))
    .option('--reuse', 'the id may be that of a process that was pruned')
    .option('--wait', 'wait for the outcome, and exit as await does')
    .option('--inline', 'leave it to inline workers: no server is asked for')
    .addOption(hostOption())
  for (const option of [...flowOptions(), ...temporalOptions()]) command.addOption(option)
  return command.action((kind: string, flags: StartFlags) => start(context, kind, flags))
}

async function start({ env, output, exitWith }: CliContext, kind: string, flags: StartFlags): Promise<void> {
  const settings = readConnectionSettings(env, flags)
  const host = await loadHost(requireHostFile(settings))
  const request = await readRequest(kind, flags)
  const { registry, release } = await borrowRegistry(host.registry)
  try {
    const begin = (client: ProcessClient) => client.startUntyped(request)
    const { id, started } = await (flags.inline
      ? withInlineClient(host, begin)
      : withProcessClient(host, settings, begin))
    const report = async () => {
      const record = await registry.requireRecord(id)
      output.document({ ...record, started }, () => [startLine(id, started), ...processLines(record, output)])
    }
    // With --json there is one document, so it is the one at the end.
    if (!flags.wait || !output.isJson) await report()
    if (!flags.wait) return
    const outcome = await awaitOutcomeOrInterrupt(registry, id, { output })
    if (outcome === undefined) return
    if (output.isJson) await report()
    else output.document(outcome, () => outcomeLines(outcome, output))
    exitWith(EXIT_OF_OUTCOME[outcome.status])
  } finally {
    await release()
  }
}

async function readRequest(kind: string, flags: StartFlags): Promise<AnyStart> {
  const { id, disposition, label, maxAttempts, reuse } = flags
  return {
    kind,
    input: await readJson(flags.input, '--input'),
    ...(id === undefined ? {} : { id }),
    ...(disposition === undefined ? {} : { disposition }),
    ...(label === undefined ? {} : { label }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(reuse === undefined ? {} : { reuse }),
    ...flowOf(flags),
  }
}

const startLine = (id: string, started: boolean): string =>
  started ? `Started process ${id}.` : `Process ${id} exists already; nothing was started.`
