import { localRunHandle } from '../execution/local-run-handles.ts'
import { submissionOf } from '../execution/submit.ts'
import type { ProcessRecord } from '../model/process.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import type { ClientBackend } from './backend.ts'

/** An inline worker of this OS process is told directly. Those of others hear of the change, or find the row due. */
export function createInlineBackend(registry: WatchedRegistry): ClientBackend {
  const tellDue = async (record: ProcessRecord) => localRunHandle(registry)?.submit(submissionOf(record))
  return {
    start: (registration, options) =>
      localRunHandle(registry)?.register(registration, options) ??
      registry.register(registration, { ...options, isDueAtOnce: true }),
    submitsDue: false,
    tellDue,
    passCancelOn: async (record, { isDue }) => (isDue ? tellDue(record) : undefined),
  }
}
