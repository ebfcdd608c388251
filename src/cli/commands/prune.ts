import { Command, Option } from 'commander'
import { collectBlobs } from '../../maintenance/collect-blobs.ts'
import {
  compactTombstones,
  type PrunePlanReport,
  type PruneReport,
  planPrune,
  pruneProcesses,
} from '../../maintenance/prune.ts'
import { TERMINAL_STATUSES } from '../../model/outcome.ts'
import type { KeepReason, PruneFilter } from '../../model/retention.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import type { DeletedBlobs } from '../../registry/store.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { formatTime, parsePast } from '../time-text.ts'

interface PruneFlags extends ConnectionFlags {
  readonly before: string
  readonly status?: PruneFilter['status'] & string
  readonly kind?: string
  readonly tombstonesBefore?: string
  readonly dryRun?: true
}

interface PlannedPrune extends PrunePlanReport {
  readonly before: number
  readonly dryRun: true
}

interface Pruned extends PruneReport {
  readonly before: number
  /** Large payloads that nothing refers to any more. */
  readonly collectedBlobs: DeletedBlobs
  readonly forgottenTombstones?: number
}

export const pruneCommand = ({ env, output }: CliContext): Command =>
  new Command('prune')
    .description('delete ended processes that changed last before a time, with all that belongs to them')
    .requiredOption(
      '--before <time>',
      'a time (2026-10-01, 2026-10-01T12:00:00Z), or how long ago (30d, 12h)',
    )
    .addOption(new Option('--status <status>', 'only those that ended so').choices(TERMINAL_STATUSES))
    .option('--kind <kind>', 'only this kind')
    .option(
      '--tombstones-before <time>',
      'forget tombstones that were left before: a start of such an id begins anew',
    )
    .addOption(
      new Option('--dry-run', 'say what would go and what would be kept, and delete nothing').conflicts(
        'tombstonesBefore',
      ),
    )
    .addOption(registryOption())
    .addOption(hostOption())
    .action((flags: PruneFlags) => {
      // Read before anything is deleted: a typing error leaves all as it was.
      const times = readTimes(flags)
      return withRegistry(readConnectionSettings(env, flags), async registry => {
        if (flags.dryRun) {
          const planned = await plan(registry, flags, times)
          return output.document(planned, () => planLines(planned))
        }
        const pruned = await prune(registry, flags, times)
        output.document(pruned, () => reportLines(pruned))
      })
    })

const readTimes = ({ before, tombstonesBefore }: PruneFlags) => ({
  before: parsePast('--before', before),
  ...(tombstonesBefore === undefined
    ? {}
    : { tombstonesBefore: parsePast('--tombstones-before', tombstonesBefore) }),
})

const readFilter = ({ status, kind }: PruneFlags): PruneFilter => ({
  ...(status === undefined ? {} : { status }),
  ...(kind === undefined ? {} : { identityKind: kind }),
})

async function plan(
  registry: ProcessRegistry,
  flags: PruneFlags,
  times: ReturnType<typeof readTimes>,
): Promise<PlannedPrune> {
  const before = times.before(await registry.now())
  return { before, dryRun: true, ...(await planPrune(registry, { before, filter: readFilter(flags) })) }
}

async function prune(
  registry: ProcessRegistry,
  flags: PruneFlags,
  times: ReturnType<typeof readTimes>,
): Promise<Pruned> {
  const now = await registry.now()
  const before = times.before(now)
  const forgetBefore = times.tombstonesBefore?.(now)
  const filter = readFilter(flags)
  const pruned = await pruneProcesses(registry, { before, filter })
  const report = { before, ...pruned, collectedBlobs: await collectBlobs(registry) }
  if (forgetBefore === undefined) return report
  return { ...report, forgottenTombstones: await compactTombstones(registry, forgetBefore) }
}

const REASONS: Readonly<Record<KeepReason, string>> = {
  run_untold: 'its run does not know of the end yet',
  wake_on_its_way: 'a session has still to hear of it',
  awaited: 'another process waits for it',
}

function reportLines(report: Pruned): string[] {
  const { before, prunedProcesses, prunedEvents, collectedBlobs, forgottenTombstones } = report
  return [
    `Pruned ${count(prunedProcesses, 'process', 'processes')} that changed last before ${formatTime(before)}, with ${count(prunedEvents, 'event', 'events')}.`,
    ...keptLines(report),
    ...(collectedBlobs.count === 0
      ? []
      : [
          `Collected ${count(collectedBlobs.count, 'large payload', 'large payloads')}: ${Math.ceil(collectedBlobs.bytes / 1024)} KiB.`,
        ]),
    ...(forgottenTombstones === undefined
      ? []
      : [`Forgot ${count(forgottenTombstones, 'tombstone', 'tombstones')}.`]),
  ]
}

function planLines(planned: PlannedPrune): string[] {
  const { before, prunableProcesses, prunable } = planned
  return [
    `Would prune ${count(prunableProcesses, 'process', 'processes')} that changed last before ${formatTime(before)}. Nothing was deleted.`,
    ...prunable.map(id => `goes  ${id}`),
    ...more('goes', prunableProcesses - prunable.length),
    ...keptLines(planned),
  ]
}

const keptLines = ({ kept, keptProcesses }: Pick<PruneReport, 'kept' | 'keptProcesses'>): string[] => [
  ...kept.map(({ id, reason }) => `kept  ${id}: ${REASONS[reason]}`),
  ...more('kept', keptProcesses - kept.length),
]

const more = (what: string, unnamed: number): string[] => (unnamed === 0 ? [] : [`${what}  ${unnamed} more`])

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`
