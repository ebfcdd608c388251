import { canonicalJson, type Json } from './json.ts'
import { compareBytes } from './order.ts'

/** What the processes that have not ended still need: a definition or an environment in no such count may go. */
export interface LiveReferences {
  readonly definition?: Json
  readonly envRef?: string
  readonly processCount: number
}

/** In order of the definition's canonical text, then of the environment; none comes before any. */
export const byReference = (left: LiveReferences, right: LiveReferences): number =>
  compareText(textOf(left.definition), textOf(right.definition)) || compareText(left.envRef, right.envRef)

const textOf = (definition: Json | undefined): string | undefined =>
  definition === undefined ? undefined : canonicalJson(definition)

const compareText = (left = '', right = ''): number => compareBytes(left, right)
