import { Command, Option } from 'commander'
import { collectBlobs } from '../../maintenance/collect-blobs.ts'
import { compactTombstones, type PruneReport, pruneProcesses } from '../../maintenance/prune.ts'
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
    .addOption(registryOption())
    .addOption(hostOption())
    .action((flags: PruneFlags) => {
      // Read before anything is deleted: a typing error leaves all as it was.
      const times = readTimes(flags)
      return withRegistry(readConnectionSettings(env, flags), async registry => {
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

async function prune(
  registry: ProcessRegistry,
  { status, kind }: PruneFlags,
  times: ReturnType<typeof readTimes>,
): Promise<Pruned> {
  const now = await registry.now()
  const before = times.before(now)
  const forgetBefore = times.tombstonesBefore?.(now)
  const filter = {
    ...(status === undefined ? {} : { status }),
    ...(kind === undefined ? {} : { identityKind: kind }),
  }
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
  const { before, prunedProcesses, prunedEvents, keptProcesses, kept, collectedBlobs, forgottenTombstones } =
    report
  const unnamed = keptProcesses - kept.length
  return [
    `Pruned ${count(prunedProcesses, 'process', 'processes')} that changed last before ${formatTime(before)}, with ${count(prunedEvents, 'event', 'events')}.`,
    ...kept.map(({ id, reason }) => `kept  ${id}: ${REASONS[reason]}`),
    ...(unnamed === 0 ? [] : [`kept  ${unnamed} more`]),
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

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`
