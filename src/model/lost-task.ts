import type { StoredProcess } from './process.ts'

/** One piece of work that a process's run has asked its backend for, and that has not come to an end there. */
export interface PendingTask {
  readonly taskId: string
  /** Who was given it last and has not answered: a worker's `ownerId`. Absent: nobody has it now. */
  readonly givenTo?: string
}

/** Was the process handed over, and no attempt has begun since? Somebody may have its task, or nobody yet. */
export const isNotBegun = ({ record, submissions }: StoredProcess): boolean =>
  record.status === 'running' && submissions > 0

/**
 * Will nobody ever begin this task? It was given to a worker that is gone (proven dead, or stopped) before it began the
 * attempt, so that no lease and no proof speaks of it, and the backend would only miss its heartbeat. `announced`: the
 * workers by `ownerId`, read after the task: each is announced before it is given its first one, and until it has run down.
 */
export const isLost = (
  { givenTo }: PendingTask,
  process: StoredProcess,
  announced: ReadonlySet<string>,
): boolean => isNotBegun(process) && givenTo !== undefined && !announced.has(givenTo)

/**
 * Is there reason to look for lost tasks: has somebody gone since the last look? Without a last look nobody knows, so yes.
 */
export const hasAnyGone = (
  before: ReadonlySet<string> | undefined,
  announced: ReadonlySet<string>,
): boolean => before === undefined || [...before].some(ownerId => !announced.has(ownerId))
