import { showProgress } from './follow.ts'
import type { Progress } from './progress.ts'
import type { Stage } from './stage.ts'

export interface RunRequest {
  readonly id: string
  readonly dir: string
  readonly progress: Progress
}

/** One survey, from its start, or from where an earlier run of this program left it, to its end. */
export async function runSurvey(stage: Stage, { id, dir, progress }: RunRequest): Promise<void> {
  const { registry, processes, signal } = stage
  const handle = await processes.start({ id, kind: 'survey', input: { dir } })
  if (!handle.started) {
    const journaled = (await registry.journal(id)).filter(entry => entry.status === 'done')
    progress.say(`It was begun before: going on after ${journaled.length} journaled calls`)
  }
  await stage.startWorker()
  await showProgress(handle, progress, { signal })
  await handle.outcome({ signal })
  progress.stop()
}
