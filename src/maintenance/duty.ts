import { randomUUID } from 'node:crypto'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { isProvablyDead } from '../execution/liveness.ts'
import type { DeathEvidence, LeaseOwner, ProcessLease } from '../model/lease.ts'

/** Long enough for a pass that is slow, short enough that a host that vanished is missed for seconds only. */
const TTL_MS = 5_000

/** Work of the registry that one of its workers at a time does, under a lease of the registry's. */
export class Duty {
  readonly #environment: ExecutionEnvironment
  readonly #name: string
  readonly #owner: LeaseOwner
  #lease: ProcessLease | undefined
  /** On the monotonic clock, from when the claim was sent: until then nobody else can have taken it. */
  #sureUntil = 0

  constructor(environment: ExecutionEnvironment, name: string) {
    this.#environment = environment
    this.#name = name
    this.#owner = {
      ...environment.worker,
      ownerId: `${environment.worker.ownerId}:${name}`,
      incarnationId: randomUUID(),
    }
  }

  /** Takes it, or extends what is held already. False: another worker has it, and is not proven dead. */
  async take(): Promise<boolean> {
    // Passes come in quick succession; each would cost a commit.
    if (performance.now() < this.#sureUntil) return true
    const { registry, worker } = this.#environment
    const sentAt = performance.now()
    const first = await registry.claimDuty(this.#name, this.#owner, { ttlMs: TTL_MS })
    if (first.type === 'acquired') return this.#hold(first.lease, sentAt)
    if (!isProvablyDead(first.holder.owner, worker)) return false
    const evidence: DeathEvidence = {
      incarnationId: first.holder.owner.incarnationId,
      fence: first.holder.fencingToken,
    }
    const sentAgainAt = performance.now()
    const second = await registry.claimDuty(this.#name, this.#owner, { ttlMs: TTL_MS, evidence })
    return second.type === 'acquired' && this.#hold(second.lease, sentAgainAt)
  }

  /** Gives it back, so that the next worker takes it at once. */
  async release(): Promise<void> {
    const lease = this.#lease
    this.#lease = undefined
    this.#sureUntil = 0
    if (lease !== undefined) await this.#environment.registry.release(lease).catch(() => {})
  }

  #hold(lease: ProcessLease, sentAt: number): true {
    this.#lease = lease
    this.#sureUntil = sentAt + TTL_MS / 2
    return true
  }
}
