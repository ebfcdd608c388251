import type { Effect } from '../../src/model/effect.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { SAID, type Shape } from './tools.ts'
import type { Noted } from './world.ts'

/** What became of one process, inside and outside. */
export interface Turn {
  readonly id: string
  readonly shape: Shape
  readonly outcome: Outcome
  readonly terminals: number
  readonly attempts: number
  readonly effects: readonly Effect[]
  /** What the model said in the end. */
  readonly told: string
  /** What stands on its channel. */
  readonly said: readonly unknown[]
  /** Of a session's turn: the messages that it has left there. */
  readonly messages?: number
}

/** The user's; the model's two calls, with what came of them; the model's third, with that; the model's word. */
const MESSAGES = 6

/** What of a turn must never be; empty where all is as it should be. `notes`: those of this process, in order. */
export function violationsOf(
  { id, shape, outcome, terminals, effects, told, said, messages = MESSAGES }: Turn,
  notes: readonly Noted[],
): string[] {
  const found: string[] = []
  const happened = notes.filter(({ what }) => what === 'effect').length
  if (terminals !== 1) found.push(`${terminals} terminal events`)
  if (shape !== 'repeatable' && happened > 1) found.push(`a once effect happened ${happened} times`)
  const repeated = repeatedAfterJournal(notes)
  if (repeated > 0) found.push(`${repeated} model calls were made again after they were journaled`)
  if (outcome.status !== 'completed') return [...found, `ended as ${JSON.stringify(outcome)}`].map(of(id))
  if (JSON.stringify(said) !== JSON.stringify(SAID)) found.push(`its channel holds ${JSON.stringify(said)}`)
  if (messages !== MESSAGES) found.push(`its session holds ${messages} messages`)
  const lie = lieOf(told, happened, effects)
  return [...found, ...(lie === undefined ? [] : [lie])].map(of(id))
}

const of = (id: string) => (what: string) => `${id}: ${what}`

/** The model was told what did not happen, or what nobody could know. */
function lieOf(told: string, happened: number, effects: readonly Effect[]): string | undefined {
  const ledger = effects.at(-1)?.state
  switch (told) {
    case 'done':
      return happened > 0 ? undefined : 'told as done, and nothing happened'
    case 'unknown':
      return ledger === 'unknown' ? undefined : `told as unknown, and the ledger says ${ledger}`
    case 'failed':
      return happened === 0 ? undefined : 'told as failed, and it happened'
    default:
      return `the model said ${told}`
  }
}

/** The n-th question to the model, though n answers and more are in the journal. */
function repeatedAfterJournal(notes: readonly Noted[]): number {
  const journaled = new Set<string>()
  let repeated = 0
  for (const { what, detail } of notes) {
    if (what === 'journaled') journaled.add(detail)
    if (what === 'asked' && journaled.size > Number(detail)) repeated++
  }
  return repeated
}
