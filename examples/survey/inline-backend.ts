import { createProcessClient } from '../../src/index.ts'
import type { Backend, BackendOptions } from './backend.ts'
import { createSurveyHost } from './host.ts'

/** Nothing but the registry, which client and workers share: there is no server to start, and none to end. */
export function createInlineBackend({ dataDir, progress }: BackendOptions): Backend {
  const processes = createProcessClient({ host: createSurveyHost(dataDir) })
  progress.say('Inline: no server, the workers share the registry')
  return {
    processes,
    worker: { script: new URL('inline-worker.ts', import.meta.url), arguments: [] },
    failure: new AbortController().signal,
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  }
}
