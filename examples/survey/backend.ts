import type { createProcessClient } from '../../src/index.ts'
import type { createSurveyHost } from './host.ts'
import type { Progress } from './progress.ts'

type Engines = NonNullable<ReturnType<typeof createSurveyHost>['engines']>

/** What runs the survey: a Temporal server, or the workers alone. Disposing of it takes down what it has started. */
export interface Backend extends AsyncDisposable {
  readonly processes: ReturnType<typeof createProcessClient<Engines, never>>
  /** A worker's program, and what it is told beyond the data folder. */
  readonly worker: { readonly script: URL; readonly arguments: readonly string[] }
  /** Fires if it has ended without being told to. */
  readonly failure: AbortSignal
}

export interface BackendOptions {
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cacheDir: string
  readonly progress: Progress
  /** Fires when the user wants to stop. */
  readonly signal: AbortSignal
}
