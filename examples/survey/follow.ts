import type { ProcessHandle } from '../../src/index.ts'
import { SURVEY_PROGRESS, surveyProgress } from './engine.ts'
import type { Progress } from './progress.ts'

/** Shows the survey's own progress events, past and future, until the process has ended. */
export async function showProgress(
  handle: ProcessHandle,
  progress: Progress,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  for await (const { done, total } of progressOf(handle, options)) progress.show(done, total)
}

/** Resolves when so many files are surveyed, or the process has ended. */
export async function untilSurveyed(
  handle: ProcessHandle,
  files: number,
  options: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<void> {
  for await (const { done, total } of progressOf(handle, options)) {
    options.progress.show(done, total)
    if (done >= files) return
  }
}

async function* progressOf(handle: ProcessHandle, { signal }: { readonly signal: AbortSignal }) {
  for await (const { eventType, payload } of handle.events({ signal })) {
    if (eventType !== SURVEY_PROGRESS) continue
    const { surveyed, files } = surveyProgress.parse(payload)
    yield { done: surveyed, total: files }
  }
}
