/** A lease as the reference knows it. */
export interface ReferenceLease {
  readonly by: string
  readonly fence: number
}

/**
 * The registry's answers about one rerunnable process, computed the short way: a few variables, no store, no events
 * beside their count. Each method changes them as the registry must, and returns what it must answer, in one word or two.
 */
export class ReferenceRegistry {
  fence = 0
  sequence = 0
  /** Where this life of the process began to count. */
  floor = 0
  isPruned = false
  outcome: string | undefined
  holder: (ReferenceLease & { expiresAt: number }) | undefined
  private hasStarted = false
  private isRunWaiting = false
  private wait: number | undefined
  private readonly cancels = new Set<string>()
  private readonly texts = new Map<string, string>()
  private readonly clock: () => number

  constructor(clock: () => number) {
    this.clock = clock
  }

  get liveHolder(): (ReferenceLease & { expiresAt: number }) | undefined {
    return this.holder !== undefined && this.holder.expiresAt > this.clock() ? this.holder : undefined
  }

  claim(by: string, ttl: number): string {
    if (this.isPruned) return GONE
    const live = this.liveHolder
    if (live !== undefined && live.by !== by) return `busy ${live.fence}`
    return `acquired ${live === undefined ? this.acquire(by, ttl) : this.extend(live, ttl)}`
  }

  begin(by: string, ttl: number): string {
    if (this.isPruned) return 'unknown'
    if (this.outcome === undefined && this.liveHolder !== undefined) return `busy ${this.liveHolder.fence}`
    const isPending = this.wait !== undefined && this.wait > this.clock()
    const isParked = this.outcome === undefined && this.cancels.size === 0 && isPending
    this.isRunWaiting = isParked
    if (this.outcome !== undefined) return 'terminal'
    if (isParked) return 'parked'
    if (this.wait !== undefined && !isPending) this.sequence += 1
    this.wait = undefined
    return `${this.cancels.size > 0 ? 'settle' : 'run'} ${this.acquire(by, ttl)}`
  }

  renew(lease: ReferenceLease, ttl: number): string {
    if (this.outcome !== undefined || !this.isCurrent(lease) || this.liveHolder === undefined) return LOST
    return `extended ${this.extend(this.liveHolder, ttl)}`
  }

  reacquire(lease: ReferenceLease, ttl: number): string {
    if (this.outcome !== undefined || this.holder?.fence !== lease.fence) return LOST
    if (this.liveHolder !== undefined) return `extended ${this.extend(this.liveHolder, ttl)}`
    return `extended ${this.acquire(lease.by, ttl)}`
  }

  release(lease: ReferenceLease): string {
    if (this.holder?.fence === lease.fence) this.holder = undefined
    return 'done'
  }

  enterBody(lease: ReferenceLease): string {
    return this.underLease(lease, () => {
      if (!this.hasStarted) this.sequence += 1
      this.hasStarted = true
      return 'entered'
    })
  }

  park(lease: ReferenceLease, until: number): string {
    return this.underLease(lease, () => {
      if (this.cancels.size > 0 || until <= this.clock()) return 'due'
      this.sequence += 1
      this.wait = until
      this.isRunWaiting = true
      this.holder = undefined
      return 'parked'
    })
  }

  endAttempt(lease: ReferenceLease): string {
    if (this.outcome === undefined && this.isCurrent(lease)) this.holder = undefined
    return 'done'
  }

  journal(lease: ReferenceLease): string {
    return this.isCurrent(lease) ? 'done' : LOST
  }

  completeWithLease(lease: ReferenceLease, outcome: string): string {
    if (!this.isPruned && this.outcome === outcome) return outcome
    return this.underLease(lease, () => {
      this.holder = undefined
      return this.end(outcome)
    })
  }

  complete(outcome: string): string {
    if (this.isPruned) return GONE
    if (this.outcome === `${outcome} by authority`) return outcome
    if (this.outcome !== undefined) return ENDED
    if (this.liveHolder !== undefined) return 'process_lease_busy'
    this.end(`${outcome} by authority`)
    return outcome
  }

  append(key: string, text: string): string {
    if (this.isPruned) return GONE
    const known = this.texts.get(key)
    if (known === text) return 'replayed'
    if (known !== undefined) return 'process_event_replay_conflict'
    this.texts.set(key, text)
    this.sequence += 1
    return `appended ${this.sequence}`
  }

  cancel(reason: string): string {
    if (this.isPruned) return GONE
    if (this.cancels.has(reason)) return 'not due'
    this.cancels.add(reason)
    this.sequence += 1
    return this.outcome === undefined && this.liveHolder === undefined ? 'due' : 'not due'
  }

  prune(): string {
    if (this.isPruned || this.outcome === undefined) return 'nothing'
    if (this.isRunWaiting) return 'kept run_untold'
    this.isPruned = true
    this.holder = undefined
    return `pruned ${this.sequence - this.floor}`
  }

  registerAgain(reuse: boolean): string {
    if (!this.isPruned) return 'existing'
    if (!reuse) return GONE
    this.isPruned = false
    this.floor = this.sequence
    this.outcome = undefined
    this.wait = undefined
    this.hasStarted = false
    this.cancels.clear()
    this.texts.clear()
    return `registered ${this.sequence}`
  }

  private isCurrent(lease: ReferenceLease): boolean {
    return this.liveHolder !== undefined && this.liveHolder.fence === lease.fence
  }

  private underLease(lease: ReferenceLease, write: () => string): string {
    if (this.isPruned) return GONE
    if (!this.isCurrent(lease)) return LOST
    return this.outcome === undefined ? write() : ENDED
  }

  private acquire(by: string, ttl: number): number {
    this.fence += 1
    this.holder = { by, fence: this.fence, expiresAt: this.clock() + ttl }
    return this.fence
  }

  private extend(live: ReferenceLease, ttl: number): number {
    this.holder = { ...live, expiresAt: this.clock() + ttl }
    return live.fence
  }

  private end(outcome: string): string {
    this.outcome = outcome
    this.wait = undefined
    this.sequence += 1
    return outcome
  }
}

const LOST = 'process_lease_lost'
const GONE = 'process_no_longer_retained'
const ENDED = 'process_already_terminal'
