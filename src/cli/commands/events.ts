import { Command } from 'commander'
import type { ProcessEvent } from '../../model/event.ts'
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
import { formatTime } from '../time-text.ts'

interface EventsFlags extends ConnectionFlags {
  readonly after: number
  readonly follow?: true
}

export const eventsCommand = ({ env, output }: CliContext): Command =>
  new Command('events')
    .description('print the event log of a process')
    .argument('<id>', 'process id')
    .option('--after <n>', 'begin after this sequence number', wholeNumber({ min: 0 }), 0)
    .option('--follow', 'go on with what comes, until the process has ended or Ctrl-C')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((id: string, { after, follow, ...connection }: EventsFlags) =>
      withRegistry(readConnectionSettings(env, connection), async registry => {
        if (follow) return followLog(registry, id, after, output)
        const events = await allEvents(registry, id, after)
        output.document({ events }, () => alignColumns(events.map(columnsOf)))
      }),
    )

async function allEvents(registry: ProcessRegistry, id: string, after: number): Promise<ProcessEvent[]> {
  const events: ProcessEvent[] = []
  while (true) {
    const page = await registry.eventsAfter(id, events.at(-1)?.sequence ?? after)
    if (page.length === 0) return events
    events.push(...page)
  }
}

async function followLog(
  registry: WatchedRegistry,
  id: string,
  after: number,
  output: Output,
): Promise<void> {
  const { signal } = listenForInterrupts()
  for await (const event of registry.followEvents(id, { after, signal })) {
    output.item(event, () => columnsOf(event).join('  '))
  }
}

const columnsOf = ({ sequence, occurredAtMs, eventType, payload }: ProcessEvent): string[] => [
  `#${sequence}`,
  formatTime(occurredAtMs),
  oneLine(eventType),
  oneLine(JSON.stringify(payload)),
]
