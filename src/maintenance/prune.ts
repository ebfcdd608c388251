import type { ProcessId } from '../model/ids.ts'
import type { EndedPlace, PruneRequest } from '../model/retention.ts'
import type { KeptProcess, ProcessRegistry } from '../registry/registry.ts'

/** Of those that were kept, so many are named. */
const NAMED = 100

export interface PruneReport {
  readonly prunedProcesses: number
  readonly prunedEvents: number
  /** Old enough, and needed by somebody still. */
  readonly keptProcesses: number
  /** The first hundred of them. */
  readonly kept: readonly KeptProcess[]
}

export interface PagingOptions {
  /** Rows of one transaction. Default 100. */
  readonly pageSize?: number
  /** Called between the pages, so that other work goes on and a stop is heard. False: no more pages. */
  readonly mayGoOn?: () => boolean | Promise<boolean>
}

/** Prunes all that the request means, page by page, each a transaction of its own: what is done is done. */
export async function pruneProcesses(
  registry: ProcessRegistry,
  request: PruneRequest,
  { pageSize = 100, mayGoOn = () => true }: PagingOptions = {},
): Promise<PruneReport> {
  const kept: KeptProcess[] = []
  let [prunedProcesses, prunedEvents, keptProcesses] = [0, 0, 0]
  let after: EndedPlace | undefined
  do {
    const page = await registry.prune(request, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    })
    prunedProcesses += page.prunedProcesses
    prunedEvents += page.prunedEvents
    keptProcesses += page.kept.length
    kept.push(...page.kept.slice(0, NAMED - kept.length))
    after = page.next
  } while (after !== undefined && (await mayGoOn()))
  return { prunedProcesses, prunedEvents, keptProcesses, kept }
}

export interface PrunePlanReport extends Pick<PruneReport, 'keptProcesses' | 'kept'> {
  readonly prunableProcesses: number
  /** The first hundred of them. */
  readonly prunable: readonly ProcessId[]
}

/** What the same prune would take and keep, as things stand. Nothing is written. */
export async function planPrune(
  registry: ProcessRegistry,
  request: PruneRequest,
  { pageSize = 100 }: Pick<PagingOptions, 'pageSize'> = {},
): Promise<PrunePlanReport> {
  const prunable: ProcessId[] = []
  const kept: KeptProcess[] = []
  let [prunableProcesses, keptProcesses] = [0, 0]
  let after: EndedPlace | undefined
  do {
    const page = await registry.planPrune(request, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    })
    prunableProcesses += page.goes.length
    keptProcesses += page.kept.length
    prunable.push(...page.goes.slice(0, NAMED - prunable.length))
    kept.push(...page.kept.slice(0, NAMED - kept.length))
    after = page.next
  } while (after !== undefined)
  return { prunableProcesses, prunable, keptProcesses, kept }
}

/** Forgets all tombstones made before this time, in the same way. Returns how many. */
export async function compactTombstones(
  registry: ProcessRegistry,
  before: number,
  { pageSize = 100, mayGoOn = () => true }: PagingOptions = {},
): Promise<number> {
  let forgotten = 0
  while (true) {
    const page = await registry.compactTombstones(before, pageSize)
    forgotten += page
    if (page < pageSize || !(await mayGoOn())) return forgotten
  }
}
