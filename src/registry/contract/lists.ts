import type { RegistryFigures } from '../../model/figures.ts'
import type { PageRequest, ProcessListFilter } from '../../model/list.ts'
import type { LiveReferences } from '../../model/live-references.ts'
import type { ProcessRecord } from '../../model/process.ts'

export interface ListOperations {
  /** One page, ordered by id. With its `next` and `through` as `after` and `through`, the same reading goes on. */
  list(filter?: ProcessListFilter, page?: PageRequest): Promise<ProcessPage>
  /** One page of the rows that have not ended. A row that is so throughout a reading is in exactly one of its pages. */
  listNonTerminal(page?: PageRequest): Promise<ProcessPage>
  /** Those of the ids that never had a row, in the order given: not even one that was pruned. */
  filterUnregistered(ids: readonly string[]): Promise<string[]>
  /** How many processes that have not ended there are of each definition and environment; empty when none are left. */
  liveReferences(): Promise<LiveReferences[]>
  /** Counted now, over all rows that have not ended: for somebody who looks now and then. */
  figures(): Promise<RegistryFigures>
}

export interface ProcessPage {
  readonly records: readonly ProcessRecord[]
  /** The last id of this page; absent on the last one. */
  readonly next?: string
  /** The bound of the reading; present with `next`. */
  readonly through?: string
}
