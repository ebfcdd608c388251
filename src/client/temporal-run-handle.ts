import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client'
import type { Priority } from '@temporalio/common'
import { ValueError } from '@temporalio/common'
import {
  NUDGE_SIGNAL,
  type Nudge,
  type ProcessWorkflowInput,
  REGISTRY_MEMO,
  TEMPORAL_BACKEND,
  WORKFLOW_TYPE,
} from '../contract.ts'
import { type ProcessRunHandle, type Submission, submissionOf } from '../execution/submit.ts'
import { isTransient, LeaseholdError } from '../model/errors.ts'
import { DEFAULT_LEASE_TIMINGS } from '../model/lease.ts'
import type { ExternalRef, ProcessRecord } from '../model/process.ts'
import type { RegistrationRequest } from '../model/registration.ts'
import type { ProcessRegistry, RegisterOptions, RegisterResult } from '../registry/registry.ts'
import type { ClientBackend } from './backend.ts'
import { CALL_TIMEOUT_MS, temporalError } from './temporal-errors.ts'

/** A cancel is recorded before the server is told of it, so nobody waits long for one that does not answer. */
const PASS_ON_TIMEOUT_MS = 1_500
/** A drive by hand hands over so many at a time; the sweep takes the rest. */
const PENDING_BATCH = 100

export interface TemporalRunHandleOptions {
  readonly client: Client
  readonly registry: ProcessRegistry
  readonly taskQueue: string
  /** Default 30,000 ms: the lease's time to live. */
  readonly heartbeatTimeoutMs?: number
}

/** Submits processes to Temporal: a start the first time, later a nudge that starts the workflow again if it is gone. */
export class TemporalRunHandle implements ProcessRunHandle, ClientBackend {
  readonly submitsDue = true
  readonly #options: TemporalRunHandleOptions

  constructor(options: TemporalRunHandleOptions) {
    this.#options = options
  }

  async claimAndRunPending(): Promise<void> {
    for (const { record } of await this.#options.registry.pendingProcesses(PENDING_BATCH)) {
      // Work of somebody else has no workflow: the sweep of a worker settles it.
      if (record.disposition === 'externally_owned') continue
      try {
        await this.submit(submissionOf(record))
      } catch (error) {
        // Nothing else would be taken either; any other failure is this row's own, and the sweep comes back to it.
        if (isTransient(error)) throw error
      }
    }
  }

  async start(registration: RegistrationRequest, options: RegisterOptions): Promise<RegisterResult> {
    const result = await this.#options.registry.register(registration, options)
    const { type, record } = result
    // An existing row that never reached the server is handed over now; any other is there already.
    const isToSubmit = type === 'registered' || record.externalRef === undefined
    if (isToSubmit && record.disposition !== 'externally_owned' && record.status === 'running') {
      await this.submit(submissionOf(record))
    }
    return result
  }

  async submit(process: Submission): Promise<void> {
    const { id, attempts, lastSequence, isSubmitted } = process
    const handOver = () => (isSubmitted ? this.#nudge(process, 'look') : this.#start(process))
    await this.#call(id, handOver, CALL_TIMEOUT_MS)
    await this.#options.registry.recordSubmitted(id, { ref: this.#ref(id), attempts, lastSequence })
  }

  /**
   * Tells the run of a cancel that the registry has recorded. Best effort, within a second or two: the worker's own watch
   * hears of it as well, and a row that is due is submitted by the sweep.
   */
  async passCancelOn(record: ProcessRecord, { isDue }: { readonly isDue: boolean }): Promise<void> {
    if (isDue) return this.tellDue(record)
    await this.#tell(record, 'cancel')
  }

  /** Noted nowhere, so that nothing stands in the way of the attempt that it gives rise to: if none does, the sweep submits. */
  tellDue(record: ProcessRecord): Promise<void> {
    return this.#tell(record, 'look')
  }

  async #tell(record: ProcessRecord, nudge: Nudge): Promise<void> {
    if (record.externalRef?.backend !== TEMPORAL_BACKEND) return
    const tell = () => this.#nudge(submissionOf(record), nudge)
    await this.#call(record.id, tell, PASS_ON_TIMEOUT_MS).catch(() => {})
  }

  async #start(process: Submission): Promise<void> {
    try {
      await this.#options.client.workflow.start(WORKFLOW_TYPE, {
        ...this.#startOptions(process),
        // Failing on an open one costs nothing where there is none, and tells when there is: see below.
        workflowIdConflictPolicy: 'FAIL',
      })
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      await this.#requireOwnWorkflow(process.id)
    }
  }

  /** Most often its run is there; only one that is gone has to be described anew. */
  async #nudge(process: Submission, nudge: Nudge): Promise<void> {
    try {
      await this.#options.client.workflow.getHandle(process.id).signal(NUDGE_SIGNAL, nudge)
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
      await this.#signalWithStart(process, nudge)
    }
  }

  async #signalWithStart(process: Submission, nudge: Nudge): Promise<void> {
    await this.#options.client.workflow.signalWithStart(WORKFLOW_TYPE, {
      ...this.#startOptions(process),
      signal: NUDGE_SIGNAL,
      signalArgs: [nudge],
    })
  }

  /** The open workflow of this id serves this process already, or the id is taken by somebody else. */
  async #requireOwnWorkflow(id: string): Promise<void> {
    const { client, registry } = this.#options
    const found = await client.workflow.getHandle(id).describe().catch(unreadableMemo)
    if (found === 'unreadable') {
      throw new LeaseholdError(
        'workflow_id_taken',
        `The workflow id "${id}" belongs to an open workflow whose memo this client's data converter cannot read. Give client and workers of one registry the same data converter, or start the process under another id.`,
        { processId: id },
      )
    }
    const registryId = found.memo?.[REGISTRY_MEMO]
    if (found.type === WORKFLOW_TYPE && registryId === registry.registryId) return
    const whose =
      found.type === WORKFLOW_TYPE ? `registry ${String(registryId)}` : `a workflow of type "${found.type}"`
    throw new LeaseholdError(
      'workflow_id_taken',
      `The workflow id "${id}" belongs to ${whose}, and it is open. Start the process under another id, or give this registry its own namespace.`,
      { processId: id, details: { workflowType: found.type } },
    )
  }

  #startOptions({ id, disposition, flow }: Submission) {
    const { registry, taskQueue, heartbeatTimeoutMs = DEFAULT_LEASE_TIMINGS.ttlMs } = this.#options
    const input: ProcessWorkflowInput = {
      registryId: registry.registryId,
      processId: id,
      heartbeatTimeoutMs,
      ...(disposition === 'rerunnable' ? { isRerunnable: true } : {}),
    }
    return {
      workflowId: id,
      taskQueue,
      args: [input],
      memo: { [REGISTRY_MEMO]: registry.registryId },
      // A closed run of the id is no obstacle: the row decides whether there is anything to do.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      // Our workflow tasks take milliseconds: one that went to a worker as it died is not waited for any longer.
      workflowTaskTimeout: '3s',
      // The activity has the workflow's.
      ...(flow === undefined ? {} : { priority: priorityOf(flow) }),
    } as const
  }

  #ref(id: string): ExternalRef {
    return { backend: TEMPORAL_BACKEND, id, metadata: { namespace: this.#options.client.options.namespace } }
  }

  async #call(id: string, call: () => Promise<void>, timeoutMs: number): Promise<void> {
    try {
      await this.#options.client.withDeadline(Date.now() + timeoutMs, call)
    } catch (error) {
      throw temporalError(error, id)
    }
  }
}

/** Another data converter than this client's wrote it; whatever else fails is the call's. */
function unreadableMemo(error: unknown): 'unreadable' {
  if (error instanceof ValueError) return 'unreadable'
  throw error
}

/** What is left out is the server's default. */
const priorityOf = ({ priority, fairness }: NonNullable<Submission['flow']>): Priority => ({
  ...(priority === undefined ? {} : { priorityKey: priority }),
  ...(fairness === undefined ? {} : { fairnessKey: fairness.key }),
  ...(fairness?.weight === undefined ? {} : { fairnessWeight: fairness.weight }),
})
