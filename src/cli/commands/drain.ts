import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { localLiveness } from '../../execution/liveness.ts'
import type { DrainReport } from '../../model/drain.ts'
import { LeaseholdError } from '../../model/errors.ts'
import type { LeaseOwner } from '../../model/lease.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { withRegistry } from '../open-registry.ts'
import { parseDuration } from '../time-text.ts'

interface DrainFlags extends ConnectionFlags {
  readonly worker?: string[]
  readonly allHere?: true
  readonly by: string
  readonly timeout: string
  readonly wait: boolean
}

/** How one worker answered. `report` absent: not within the time, or it was gone before it could. */
interface Drained {
  readonly worker: string
  readonly state: 'drained' | 'asked' | 'gone'
  readonly report?: DrainReport
}

const LOOK_EVERY_MS = 200

export const drainCommand = ({ env, output, exitWith }: CliContext): Command =>
  new Command('drain')
    .description('ask workers to stop in order, and print what became of what they ran')
    .option('--worker <ids...>', 'these, as "worker" and "explain" name them')
    .option('--all-here', 'all that run on this host')
    .option('--by <who>', 'who asks, for the record', 'the command line')
    .option('--timeout <duration>', 'how long to wait for their reports', '60s')
    .option('--no-wait', 'leave the request, and do not wait')
    .addOption(registryOption())
    .addOption(hostOption())
    .action(({ worker, allHere, by, timeout, wait, ...connection }: DrainFlags) => {
      requireOneWay(worker, allHere)
      const withinMs = wait ? parseDuration(timeout) : 0
      return withRegistry(readConnectionSettings(env, connection), async registry => {
        const workers = await findWorkers(registry, worker)
        for (const { incarnationId } of workers) await registry.requestDrain(incarnationId, by)
        const until = performance.now() + withinMs
        const drained = await Promise.all(workers.map(each => waitForReport(registry, each, until)))
        output.document({ workers: drained }, () =>
          drained.length === 0 ? ['No worker runs on this host.'] : drained.flatMap(drainedLines),
        )
        const isOpen = ({ state, report }: Drained) =>
          state !== 'drained' || (report?.deferred.length ?? 0) > 0
        if (wait && drained.some(isOpen)) exitWith(EXIT.error)
      })
    })

function requireOneWay(names: string[] | undefined, allHere: true | undefined): void {
  if ((names === undefined) !== (allHere === undefined)) return
  throw new LeaseholdError('usage', 'Say which workers: either --worker ID or --all-here.')
}

/** Without names: all that run on this host. */
async function findWorkers(registry: ProcessRegistry, names: string[] | undefined): Promise<LeaseOwner[]> {
  const workers = (await registry.workers()).map(({ worker }) => worker)
  if (names === undefined) {
    const here = localLiveness(registry)
    return workers.filter(
      ({ liveness }) =>
        liveness.kind === 'local_process' && here.kind === 'local_process' && liveness.hostId === here.hostId,
    )
  }
  return names.map(name => {
    const found = workers.find(({ ownerId, incarnationId }) => name === ownerId || name === incarnationId)
    if (found !== undefined) return found
    const known = workers.map(({ ownerId }) => ownerId).join(', ') || 'none'
    throw new LeaseholdError(
      'worker_unknown',
      `No worker "${name}" is announced in this registry: it has stopped, or was never there. Those that run: ${known}.`,
      { details: { worker: name } },
    )
  })
}

async function waitForReport(registry: ProcessRegistry, worker: LeaseOwner, until: number): Promise<Drained> {
  const { ownerId, incarnationId } = worker
  while (true) {
    // Read before the report: whoever is gone has reported first, if it could.
    const isThere = (await registry.workers()).some(row => row.worker.incarnationId === incarnationId)
    const report = (await registry.drainOf(incarnationId))?.report
    if (report !== undefined) return { worker: ownerId, state: 'drained', report }
    if (!isThere) return { worker: ownerId, state: 'gone' }
    if (performance.now() >= until) return { worker: ownerId, state: 'asked' }
    await sleep(LOOK_EVERY_MS)
  }
}

function drainedLines({ worker, state, report }: Drained): string[] {
  if (report !== undefined) return [`${worker}: drained.`, ...reportLines(report)]
  return state === 'gone'
    ? [`${worker}: it ended without a report; a proof of its death settles what it ran.`]
    : [`${worker}: asked; no report yet.`]
}

function reportLines({ ended, released, abandoned, deferred }: DrainReport): string[] {
  const line = (name: string, ids: readonly string[]) =>
    ids.length === 0 ? [] : [`  ${name}  ${ids.join(', ')}`]
  return [
    ...line('ended in time', ended),
    ...line('given back', released),
    ...line('abandoned', abandoned),
    ...line(
      'deferred',
      deferred.map(({ id, reason }) => `${id} (${reason})`),
    ),
  ]
}
