import { localRunHandle } from '../execution/local-run-handles.ts'
import { submissionOf } from '../execution/submit.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import type { ClientBackend } from './backend.ts'

/** An inline worker of this OS process is told directly. Those of others hear of the change, or find the row due. */
export const createInlineBackend = (registry: WatchedRegistry): ClientBackend => ({
  isWorklistOnly: true,
  submit: async process => localRunHandle(registry)?.submit(process),
  passCancelOn: async (record, { isDue }) => {
    if (isDue) await localRunHandle(registry)?.submit(submissionOf(record))
  },
})
