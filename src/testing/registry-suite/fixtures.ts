import type { LeaseOwner } from '../../model/lease.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { ProcessInput, SessionCreateRequest } from '../../model/process.ts'
import type { RegistrationRequest } from '../../model/registration.ts'
import type { WaitState } from '../../model/wait.ts'
import type { ChangePage } from '../../registry/store.ts'

export const TTL = 30_000
export const HOST = 'host-1'

export const owner = (name: string, hostId: string = HOST): LeaseOwner => ({
  ownerId: name,
  incarnationId: `${name}-life`,
  liveness: { kind: 'local_process', hostId, bootId: 'boot-1', pid: 7, processStart: '1' },
})

export const ANA = owner('ana')
export const BEN = owner('ben')

export const registration = (patch: Partial<RegistrationRequest> = {}): RegistrationRequest => ({
  id: 'p',
  input: { type: 'engine', kind: 'survey', payload: { dir: '.' } },
  disposition: 'rerunnable',
  provenance: { originator: { type: 'host' } },
  eventTypes: [{ name: 'note', payloadSchema: true }],
  // External work runs elsewhere and a turn in its session, each in an environment of its own.
  ...(patch.input?.type === 'external' || patch.input?.type === 'session_turn'
    ? {}
    : { envRef: 'process-env:sha256:00' }),
  ...patch,
})

/** What somebody else runs and closes. */
export const EXTERNAL = {
  disposition: 'externally_owned',
  input: { type: 'external', metadata: { label: 'a form' } },
} as const satisfies Partial<RegistrationRequest>

/** The turn of a child session, or what the patch makes of its request. */
export const sessionTurn = (createRequest: SessionCreateRequest = {}): ProcessInput => ({
  type: 'session_turn',
  createRequest,
  turnInput: { text: 'go on' },
  outputContract: { type: 'string' },
})

export const COMPLETED: Outcome = { status: 'completed', value: { files: 3 } }

export const OUTCOMES: { readonly [S in Outcome['status']]: Outcome } = {
  completed: COMPLETED,
  failed: {
    status: 'failed',
    class: 'execution',
    code: 'process_failed',
    message: 'no such folder',
    raw: { path: '/x' },
  },
  cancelled: { status: 'cancelled', message: 'the user pressed stop', raw: ['a'] },
  abandoned: { status: 'abandoned', evidence: { writer: 'sweep', owner: BEN, epochMs: 1 } },
}

export const timer = (key: string, sinceMs: number, untilMs?: number): WaitState => ({
  key: `process:p:timer:${key}`,
  sinceMs,
  on: { type: 'timer' },
  ...(untilMs === undefined ? {} : { untilMs }),
})

/** The ids of a page of the change feed, in its order. */
export const changedIds = ({ changes }: Pick<ChangePage, 'changes'>): string[] => changes.map(({ id }) => id)
