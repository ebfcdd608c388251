import type { JournalEntry } from '../model/journal.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { Host } from '../runtime/host.ts'

/**
 * The moments of an attempt at which it matters whether a worker dies, told by what is written:
 *
 *   attempt.begun       the attempt has its lease; nothing has run
 *   step.claimed        a `once` step is claimed; its code has not begun
 *   step.answered       a step's code is done (the model answered, the tool took effect); the journal does not know
 *   step.journaled      now it does; the code has not heard of it
 *   approval.asked      people are asked; nobody waits yet
 *   approval.used       a yes is used up; the call has not been made
 *   process.parked      the attempt has ended until its wait is over
 *   process.ending      the code has returned; the outcome is not written
 *   process.ended       now it is; nobody has been told
 */
export const FAULT_POINTS = [
  'attempt.begun',
  'step.claimed',
  'step.answered',
  'step.journaled',
  'approval.asked',
  'approval.used',
  'process.parked',
  'process.ending',
  'process.ended',
] as const

export type FaultPoint = (typeof FAULT_POINTS)[number]

/** Where an attempt is. */
export interface FaultPlace {
  readonly point: FaultPoint
  readonly processId: string
  /** Of `step.…`: its address, as `leasehold steps` prints it. */
  readonly step?: string
}

/**
 * The host with a registry that tells of each fault point as it is reached, before anything else happens. What the
 * listener throws is thrown into the attempt; `process.kill(process.pid, 'SIGKILL')` in it is the crash.
 */
export function withFaultPoints<H extends Pick<Host, 'registry'>>(
  host: H,
  reached: (place: FaultPlace) => void,
): H {
  const { registry } = host
  const open: typeof registry.open = async options => tellingOf(await registry.open(options), reached)
  return { ...host, registry: { ...registry, open } }
}

function tellingOf(registry: ProcessRegistry, reached: (place: FaultPlace) => void): ProcessRegistry {
  const after =
    <Args extends readonly [{ readonly processId: string }, ...unknown[]], Result>(
      write: (...args: Args) => Promise<Result>,
      point: FaultPoint,
      isReached: (result: Result) => boolean = () => true,
    ) =>
    async (...args: Args): Promise<Result> => {
      const result = await write(...args)
      if (isReached(result)) reached({ point, processId: args[0].processId })
      return result
    }
  return {
    ...registry,
    beginAttempt: async (id, request) => {
      const answer = await registry.beginAttempt(id, request)
      if (answer.type === 'run') reached({ point: 'attempt.begun', processId: id })
      return answer
    },
    registerAndBegin: async (request, begin, options) => {
      const answer = await registry.registerAndBegin(request, begin, options)
      if (answer.begun !== undefined) reached({ point: 'attempt.begun', processId: answer.record.id })
      return answer
    },
    saveJournalEntry: async (lease, entry) => {
      const at = { processId: lease.processId, step: entry.address }
      if (isAnswer(entry)) reached({ ...at, point: 'step.answered' })
      await registry.saveJournalEntry(lease, entry)
      if (isAnswer(entry)) reached({ ...at, point: 'step.journaled' })
      if (entry.kind === 'step' && entry.status === 'claimed') reached({ ...at, point: 'step.claimed' })
    },
    requestApproval: after(registry.requestApproval, 'approval.asked'),
    useApproval: after(registry.useApproval, 'approval.used', ({ type }) => type === 'granted'),
    park: after(registry.park, 'process.parked', ({ type }) => type === 'parked'),
    completeWithLease: async (lease, outcome) => {
      const { processId } = lease
      reached({ point: 'process.ending', processId })
      const record = await registry.completeWithLease(lease, outcome)
      reached({ point: 'process.ended', processId })
      return record
    },
  }
}

const isAnswer = ({ kind, status }: JournalEntry): boolean =>
  kind === 'step' && (status === 'done' || status === 'failed' || status === 'unknown')
