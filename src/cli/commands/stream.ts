import { Command } from 'commander'
import { LeaseholdError } from '../../model/errors.ts'
import type { StreamEntry } from '../../model/stream.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import type { WatchedRegistry } from '../../registry/watch.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { listenForInterrupts } from '../interrupts.ts'
import { withRegistry } from '../open-registry.ts'
import { wholeNumber } from '../option-values.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../plain-text.ts'
import { alignColumns } from '../table.ts'

interface StreamFlags extends ConnectionFlags {
  readonly from?: number
  readonly follow?: true
}

export const streamCommand = ({ env, output }: CliContext): Command =>
  new Command('stream')
    .description('print what a process says in a channel; without a channel, which channels there are')
    .argument('<id>', 'process id')
    .argument('[channel]', "the channel's name")
    .option('--from <n>', 'begin with the entry of this offset', wholeNumber({ min: 0 }))
    .option('--follow', 'go on with what comes, until the process has ended or Ctrl-C')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((id: string, channel: string | undefined, { from, follow, ...connection }: StreamFlags) =>
      withRegistry(readConnectionSettings(env, connection), async registry => {
        if (channel === undefined) {
          if (from !== undefined || follow === true) throw channelMissing(id)
          return listChannels(registry, id, output)
        }
        if (follow) return followChannel(registry, { id, channel, from: from ?? 0 }, output)
        const entries = await allEntries(registry, { id, channel, from: from ?? 0 })
        output.document({ entries }, () => alignColumns(entries.map(columnsOf)))
      }),
    )

interface Place {
  readonly id: string
  readonly channel: string
  readonly from: number
}

async function listChannels(registry: ProcessRegistry, id: string, output: Output): Promise<void> {
  const channels = await registry.streamHeads(id)
  output.document({ channels }, () =>
    channels.length === 0
      ? [`Process ${id} has said nothing yet.`]
      : alignColumns([
          ['CHANNEL', 'ENTRIES'],
          ...channels.map(({ channel, next }) => [oneLine(channel), String(next)]),
        ]),
  )
}

async function allEntries(registry: ProcessRegistry, { id, channel, from }: Place): Promise<StreamEntry[]> {
  const entries: StreamEntry[] = []
  while (true) {
    const last = entries.at(-1)
    const page = await registry.readStream(id, channel, last === undefined ? from : last.offset + 1)
    entries.push(...page.entries)
    if (!page.hasMore) return entries
  }
}

async function followChannel(
  registry: WatchedRegistry,
  { id, channel, from }: Place,
  output: Output,
): Promise<void> {
  const { signal } = listenForInterrupts()
  for await (const entry of registry.followStream(id, channel, { from, signal })) {
    output.item(entry, () => columnsOf(entry).join('  '))
  }
}

const columnsOf = (entry: StreamEntry): string[] => [
  `#${entry.offset}`,
  entry.type === 'delta'
    ? oneLine(JSON.stringify(entry.data))
    : `attempt ${entry.attempt} takes back ${entry.retracted.map(({ from, to }) => (to === from + 1 ? `#${from}` : `#${from} to #${to - 1}`)).join(', ')}`,
]

const channelMissing = (id: string): LeaseholdError =>
  new LeaseholdError(
    'usage',
    `--from and --follow are about one channel. Name it; "leasehold stream ${id}" lists those there are.`,
    { processId: id },
  )
