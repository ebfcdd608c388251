import { Command, Option } from 'commander'
import { LIST_STATUSES, MAX_PAGE, type ProcessListFilter } from '../../model/list.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { ProcessPage } from '../../registry/registry.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { wholeNumber } from '../option-values.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../plain-text.ts'
import { paintStatus, queuedText, waitsText } from '../process-lines.ts'
import { alignColumns } from '../table.ts'
import { formatTime } from '../time-text.ts'

interface ListFlags extends ConnectionFlags {
  readonly status?: ProcessListFilter['status'] & string
  readonly kind?: string
  readonly silent?: true
  readonly waiting?: true
  readonly limit: number
  readonly after?: string
}

export const listCommand = ({ env, output }: CliContext): Command =>
  new Command('list')
    .description('print a page of processes, ordered by id')
    .addOption(new Option('--status <status>', 'only these').choices(LIST_STATUSES).default('running'))
    .option('--kind <kind>', 'only this kind')
    .option('--silent', 'only those started owner_bound whose holder is gone without evidence')
    .option('--waiting', 'only those that wait for something durable')
    .option('--limit <n>', 'rows of the page', wholeNumber({ min: 1, max: MAX_PAGE }), 100)
    .option('--after <id>', 'begin after this id: the next page')
    .addOption(registryOption())
    .addOption(hostOption())
    .action(({ status, kind, silent, waiting, limit, after, ...connection }: ListFlags) =>
      withRegistry(readConnectionSettings(env, connection), async registry => {
        const page = await registry.list(
          {
            ...(status === undefined ? {} : { status }),
            ...(kind === undefined ? {} : { identityKind: kind }),
            ...(silent === undefined ? {} : { silent }),
            ...(waiting === undefined ? {} : { waiting }),
          },
          { limit, ...(after === undefined ? {} : { after }) },
        )
        output.document(page, () => pageLines(page, output, status))
      }),
    )

function pageLines({ records, next }: ProcessPage, output: Output, status: string | undefined): string[] {
  if (records.length === 0) {
    return [
      status === 'running' ? 'No such process is running; --status any looks at all.' : 'No such process.',
    ]
  }
  const head = ['ID', 'KIND', 'STATUS', 'ATTEMPTS', 'CREATED', 'NOTES'].map(name => output.paint('dim', name))
  const lines = alignColumns([head, ...records.map(record => rowOf(record, output))])
  return next === undefined ? lines : [...lines, `There may be more: --after ${next}`]
}

function rowOf(record: ProcessRecord, output: Output): string[] {
  const { id, identity, status, attempts, createdAtMs } = record
  return [
    id,
    oneLine(identity.kind),
    paintStatus(status, output),
    String(attempts),
    formatTime(createdAtMs),
    notesOf(record).join('; '),
  ]
}

/** What somebody who scans a list wants to see of a row, and most rows have none of. */
function notesOf({ status, identity, waits, turn, cancelRequest, silentSinceMs }: ProcessRecord): string[] {
  const waiting = waitsText(waits)
  return [
    ...(identity.label === undefined ? [] : [oneLine(identity.label)]),
    ...(silentSinceMs === undefined ? [] : [`silent since ${formatTime(silentSinceMs)}`]),
    ...(waiting === undefined ? [] : [`waits for ${waiting}`]),
    ...(turn === undefined ? [] : [`queued for ${queuedText(turn)}`]),
    ...(cancelRequest === undefined || status !== 'running' ? [] : ['cancel requested']),
  ]
}
