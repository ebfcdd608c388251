import { type SessionScope, scopeId } from '../model/session-scope.ts'

/** The parts of a turn that a probe hears of, in their order. */
export type TurnPhase =
  | 'before_turn'
  | 'context_transform'
  | 'prompt_build'
  | 'effect_loop'
  | 'finalize'
  | 'persist'
  | 'final_commit'
  | 'after_persist'

/** For tests and profiling. What it throws is ignored: it must not influence an outcome. */
export interface PhaseProbe {
  begin?(phase: TurnPhase): void
  end?(phase: TurnPhase): void
}

/** Probes by the scope of the session that they watch; a session's own probe serves its frames. */
export class PhaseProbes {
  readonly #probes = new Map<string, PhaseProbe>()

  set(scope: SessionScope, probe: PhaseProbe): void {
    this.#probes.set(scopeId(scope), probe)
  }

  delete(scope: SessionScope): void {
    this.#probes.delete(scopeId(scope))
  }

  find(scope: SessionScope | undefined): PhaseProbe | undefined {
    if (scope === undefined) return undefined
    return this.#probes.get(scopeId(scope)) ?? this.#probes.get(scopeId({ sessionId: scope.sessionId }))
  }
}

/** Runs one phase between the probe's two calls. */
export async function inPhase<T>(
  probe: PhaseProbe | undefined,
  phase: TurnPhase,
  work: () => Promise<T>,
): Promise<T> {
  tell(() => probe?.begin?.(phase))
  try {
    return await work()
  } finally {
    tell(() => probe?.end?.(phase))
  }
}

function tell(callback: () => void): void {
  try {
    callback()
  } catch {
    // A probe that fails is no business of the process that it watches.
  }
}
