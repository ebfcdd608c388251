import type { ProcessId } from '../../model/ids.ts'
import { together } from '../operation.ts'
import type { AttemptOperations } from '../registry.ts'
import type { ProcessStore } from '../store.ts'
import { requireProcess } from './shared.ts'

/** Reads that tell where a process stands. */
export function createSituationOperations(
  store: ProcessStore,
): Pick<AttemptOperations, 'situation' | 'lastHolder'> {
  return {
    lastHolder: id =>
      store.read(function* (reader) {
        const processId = id as ProcessId
        const [stored, lease] = yield* together(reader.loadProcess(processId), reader.loadLease(processId))
        const holder = lease?.holder
        if (holder !== undefined) {
          const { owner, fencingToken } = holder
          return { owner, evidence: { incarnationId: owner.incarnationId, fence: fencingToken } }
        }
        const started = stored?.record.firstStarted
        if (started === undefined) return undefined
        return { owner: started.owner, evidence: { incarnationId: started.attempt, fence: started.fence } }
      }),

    situation: id =>
      store.read(function* (reader) {
        const [stored, lease, now] = yield* together(
          requireProcess(reader, id),
          reader.loadLease(id as ProcessId),
          reader.now(),
        )
        const liveness = lease?.holder?.owner.liveness
        const workers = liveness?.kind === 'local_process' ? yield* reader.listWorkers(liveness.hostId) : []
        const worker = workers.find(row => row.worker.incarnationId === lease?.workerIncarnation)
        return {
          stored,
          now,
          ...(lease === undefined ? {} : { lease }),
          ...(worker === undefined ? {} : { worker }),
        }
      }),
  }
}
