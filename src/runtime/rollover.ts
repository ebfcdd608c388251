import type { Json } from '../model/json.ts'

/** What code returns to begin anew with a state, instead of ending: made by `ctx.rollover`, and nothing else. */
export class Rollover {
  readonly state: Json

  constructor(state: Json) {
    this.state = state
  }
}
